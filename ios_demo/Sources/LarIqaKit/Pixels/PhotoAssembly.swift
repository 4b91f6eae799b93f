import Foundation

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

    /// Add rows of premultiplied RGBA, which are laid over white: value + 255 - alpha.
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
                    let white = 255 - rgba[from + 3]
                    target[to] = min(rgba[from], 255 - white) + white
                    target[to + 1] = min(rgba[from + 1], 255 - white) + white
                    target[to + 2] = min(rgba[from + 2], 255 - white) + white
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
