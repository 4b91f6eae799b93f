import Foundation

/// A decoded photo as a viewer shows it: upright, over white, 8-bit RGB, row by row, three bytes a pixel.
///
/// The values are the file's own: no ICC profile and no gamma is applied (`lariqa/photos/photo.py`).
public struct Photo: Sendable, Equatable {
    /// Room for the largest phone sensors; decompression bombs claim more.
    public static let maxPixels = 200_000_000

    public let size: PhotoSize
    public let rgb: [UInt8]

    public var width: Int { size.width }
    public var height: Int { size.height }

    /// - Throws: `Refusal`: the bytes are not width x height x 3.
    public init(size: PhotoSize, rgb: [UInt8]) throws {
        guard size.width > 0, size.height > 0, rgb.count == size.pixels * 3 else {
            throw Refusal("expected an image as uint8 (height, width, 3), got \(rgb.count) bytes for \(size)")
        }
        self.size = size
        self.rgb = rgb
    }

    /// For code of this package that makes exactly the bytes it says.
    init(madeAs size: PhotoSize, rgb: [UInt8]) {
        self.size = size
        self.rgb = rgb
    }

    /// The photo at the size that a model file takes; nil: any.
    ///
    /// - Parameter fit: resample a photo of another size instead of refusing it.
    /// - Throws: `Refusal`: the photo does not fit, or is too small to judge.
    public func prepared(for takes: PhotoSize?, fit: Bool) throws -> Photo {
        guard min(width, height) >= PreprocessSpec.minSidePx else {
            throw Refusal(
                "the photo is \(size) px; the model needs at least \(PreprocessSpec.minSidePx) px on each side")
        }
        guard let takes, takes != size else { return self }
        guard fit else {
            throw Refusal(
                "the photo is \(size) px, this model file takes \(takes): export one with --size \(size), "
                    + "or pass --fit to resample the photo (its score will differ)")
        }
        return fitted(to: takes)
    }

    /// The rectangle as a photo of its own; it must lie inside.
    func cut(left: Int, top: Int, size: PhotoSize) -> Photo {
        if size == self.size { return self }
        var cut: [UInt8] = []
        cut.reserveCapacity(size.pixels * 3)
        for row in top..<top + size.height {
            let start = (row * width + left) * 3
            cut.append(contentsOf: rgb[start..<start + size.width * 3])
        }
        return Photo(madeAs: size, rgb: cut)
    }
}
