import Foundation

/// The two views of a photo, as pixels: what the model's branches see. The exported file makes them itself;
/// here they are for showing, and proved against the golden pack of the Python side.
extension Photo {
    /// The whole photo, resized to a square.
    public func authenticView(_ spec: PreprocessSpec) -> Photo {
        resized(to: PhotoSize(width: spec.authenticSidePx, height: spec.authenticSidePx))
    }

    /// The photo at its own resolution: all of it, or the centre crop.
    ///
    /// - Parameter view: `crop` or `full`, as the artifact's row says.
    public func syntheticView(_ view: String, _ spec: PreprocessSpec) -> Photo {
        view == "full" ? self : centerCrop(PhotoSize(width: spec.syntheticCropPx, height: spec.syntheticCropPx))
    }

    /// torchvision's `CenterCrop`: halves go to even; where the photo is smaller, black borders, the odd pixel at the
    /// right and bottom.
    public func centerCrop(_ crop: PhotoSize) -> Photo {
        let across = CropAxis(size: width, crop: crop.width)
        let down = CropAxis(size: height, crop: crop.height)
        let inner = cut(
            left: across.start, top: down.start, size: PhotoSize(width: across.count, height: down.count))
        guard inner.size != crop else { return inner }
        var padded = [UInt8](repeating: 0, count: crop.pixels * 3)
        for row in 0..<inner.height {
            let to = ((row + down.padBefore) * crop.width + across.padBefore) * 3
            let from = row * inner.width * 3
            padded.replaceSubrange(to..<to + inner.width * 3, with: inner.rgb[from..<from + inner.width * 3])
        }
        return Photo(madeAs: crop, rgb: padded)
    }
}

private struct CropAxis {
    let start: Int
    let count: Int
    let padBefore: Int

    init(size: Int, crop: Int) {
        start = size >= crop ? rounded(Double(size - crop) / 2) : 0
        count = min(size, crop)
        padBefore = max(0, crop - size) / 2
    }
}

/// Both views at the size of a thumbnail, for showing beside the score.
public struct PhotoViews: Sendable, Equatable {
    public let authentic: Photo
    public let synthetic: Photo

    public init(of photo: Photo, view: String, _ spec: PreprocessSpec) {
        authentic = photo.authenticView(spec)
        let native = photo.syntheticView(view, spec)
        let scale = min(1, Double(spec.authenticSidePx) / Double(max(native.width, native.height)))
        synthetic = native.resized(
            to: PhotoSize(
                width: max(1, rounded(Double(native.width) * scale)),
                height: max(1, rounded(Double(native.height) * scale))))
    }
}
