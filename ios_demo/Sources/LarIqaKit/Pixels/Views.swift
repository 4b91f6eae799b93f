import Foundation

/// The two views of a photo, as pixels: what the model's branches see. Proved against the bytes of the Python side.
///
/// A photo of 48 megapixels is 146 MB: neither view copies it. The whole photo is read row by row into one as narrow as the
/// view, 7 MB; of the crop only its own rows and columns are read.
extension Photo {
    /// One of the model's views.
    ///
    /// - Parameters:
    ///   - name: `authentic` or `synthetic`.
    ///   - synthetic: `crop` or `full`, as the artifact's row says.
    func view(_ name: String, synthetic: String, _ spec: PreprocessSpec) -> Photo {
        name == "authentic" ? authenticView(spec) : syntheticView(synthetic, spec)
    }

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
