import Foundation

/// EXIF 2.32, tag Orientation: how the camera was held. What cannot be read counts as upright, as in viewers.
public enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, lyingLeft, transversed, lyingRight

    public init(tag: Int?) {
        self = tag.flatMap(Orientation.init(rawValue:)) ?? .upright
    }

    /// Size of the upright picture.
    public func upright(_ stored: PhotoSize) -> PhotoSize {
        rawValue < 5 ? stored : PhotoSize(width: stored.height, height: stored.width)
    }

    /// Where the stored picture's first pixel lies in the upright one, and how far its neighbours are, in pixels.
    func path(_ stored: PhotoSize) -> (origin: Int, perColumn: Int, perRow: Int) {
        let (w, h) = (stored.width, stored.height)
        return switch self {
        case .upright: (0, 1, w)
        case .mirrored: (w - 1, -1, w)
        case .upsideDown: (w * h - 1, -1, -w)
        case .flipped: ((h - 1) * w, 1, -w)
        case .transposed: (0, h, 1)
        case .lyingLeft: (h - 1, h, -1)
        case .transversed: (w * h - 1, -h, -1)
        case .lyingRight: ((w - 1) * h, -h, 1)
        }
    }
}

/// Collects a decoder's rows into one upright photo: each pixel is written once, where it belongs, so that even a photo
/// of a hundred megapixels is never in memory twice.
public struct PhotoAssembly {
    private let stored: PhotoSize
    private let orientation: Orientation
    private var rgb: [UInt8]
    private var nextRow = 0

    /// - Parameters:
    ///   - stored: size as it lies in the file.
    ///   - orientation: what brings it upright.
    public init(stored: PhotoSize, orientation: Orientation) {
        self.stored = stored
        self.orientation = orientation
        rgb = [UInt8](repeating: 0, count: stored.pixels * 3)
    }

    /// Add rows of premultiplied RGBA, which come to lie over white: value + 255 - alpha.
    ///
    /// - Parameters:
    ///   - rgba: four bytes a pixel.
    ///   - count: how many rows.
    ///   - bytesPerRow: from one row to the next.
    public mutating func append(rgba: UnsafeRawBufferPointer, rows count: Int, bytesPerRow: Int) {
        let path = orientation.path(stored)
        let (width, firstRow) = (stored.width, nextRow)
        rgb.withUnsafeMutableBufferPointer { target in
            for row in 0..<min(count, stored.height - firstRow) {
                var from = row * bytesPerRow
                var to = (path.origin + (firstRow + row) * path.perRow) * 3
                for _ in 0..<width {
                    let shine = 255 - rgba[from + 3]
                    target[to] = min(rgba[from], 255 - shine) + shine
                    target[to + 1] = min(rgba[from + 1], 255 - shine) + shine
                    target[to + 2] = min(rgba[from + 2], 255 - shine) + shine
                    from += 4
                    to += path.perColumn * 3
                }
            }
        }
        nextRow += count
    }

    /// - Throws: `Refusal`: rows are missing.
    public consuming func finish(named name: String) throws -> Photo {
        guard nextRow >= stored.height else {
            throw PhotoRefusal.damaged(name, "row \(nextRow) of \(stored.height) is missing")
        }
        return Photo(madeAs: orientation.upright(stored), rgb: rgb)
    }
}
