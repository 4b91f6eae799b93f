import CoreGraphics
import Foundation
import ImageIO
import LarIqaKit

/// Photo files -> pixels with ImageIO: JPEG, HEIC, PNG, WebP, AVIF, TIFF, BMP, GIF, whatever iOS opens.
///
/// The stored values are kept: the picture is drawn in its own colour space, so a Display P3 photo is not converted, as
/// on the Python side. Two decoders still round differently: expect a difference of a level or two in a JPEG.
public struct ImageIODecoder: PhotoDecoding {
    public let library = "ImageIO, \(ProcessInfo.processInfo.operatingSystemVersionString)"
    /// How much memory the process may still allocate; nil: unknown.
    private let availableMib: @Sendable () -> Int?

    public init(availableMib: @escaping @Sendable () -> Int? = { DeviceMemory.availableMib() }) {
        self.availableMib = availableMib
    }

    public func photo(from data: Data, named name: String) throws -> Photo {
        guard !data.isEmpty else { throw PhotoRefusal.empty(name) }
        guard let source = CGImageSourceCreateWithData(data as CFData, nil), let type = CGImageSourceGetType(source),
            CGImageSourceGetCount(source) > 0
        else { throw PhotoRefusal.otherKind(name, beginning: data) }
        guard !(type as String).contains("raw-image"), type as String != "com.adobe.dng" else {
            throw PhotoRefusal.cameraRaw(name)
        }
        let first = CGImageSourceGetPrimaryImageIndex(source)  // the main one of a HEIC with several pictures
        let properties = CGImageSourceCopyPropertiesAtIndex(source, first, nil) as? [CFString: Any] ?? [:]
        guard let width = properties[kCGImagePropertyPixelWidth] as? Int,
            let height = properties[kCGImagePropertyPixelHeight] as? Int
        else { throw PhotoRefusal.damaged(name, "no size in its header") }
        try refuseTooLarge(PhotoSize(width: width, height: height), name)

        // Decoded once and at once: the bands below only copy.
        let options = [kCGImageSourceShouldCacheImmediately: true] as CFDictionary
        guard let image = CGImageSourceCreateImageAtIndex(source, first, options),
            CGImageSourceGetStatusAtIndex(source, first) == .statusComplete
        else { throw PhotoRefusal.damaged(name, "it ends before its last row") }
        let orientation = Orientation(tag: properties[kCGImagePropertyOrientation] as? Int)
        return try photo(from: image, orientation: orientation, named: name)
    }

    /// A decoded picture (from the camera) -> pixels.
    public func photo(from image: CGImage, orientation: Orientation, named name: String) throws -> Photo {
        let size = PhotoSize(width: image.width, height: image.height)
        try refuseTooLarge(size, name)
        var assembly = PhotoAssembly(stored: size, orientation: orientation)
        let bandHeight = min(size.height, 256)
        guard let band = Band(like: image, height: bandHeight) else {
            throw PhotoRefusal.damaged(name, "its colours cannot be drawn as 8-bit RGB")
        }
        for top in stride(from: 0, to: size.height, by: bandHeight) {
            let rows = min(bandHeight, size.height - top)
            guard let rgba = band.draw(image, top: top) else {
                throw PhotoRefusal.damaged(name, "row \(top) cannot be drawn")
            }
            assembly.append(rgba: rgba, rows: rows, bytesPerRow: band.bytesPerRow)
        }
        return try assembly.finish(named: name)
    }

    /// Before memory is taken for pixels: 4 bytes each in ImageIO, 3 in the photo.
    private func refuseTooLarge(_ size: PhotoSize, _ name: String) throws {
        guard size.pixels <= Photo.maxPixels else { throw PhotoRefusal.tooLarge(name, size) }
        let needs = size.pixels * 7 >> 20
        if let has = availableMib(), needs > has {
            throw PhotoRefusal.outOfMemory(name, size, needsMiB: needs, hasMiB: has)
        }
    }
}

/// Some rows of a picture at a time, as premultiplied RGBA.
private struct Band {
    private let context: CGContext
    private let height: Int

    var bytesPerRow: Int { context.bytesPerRow }

    init?(like image: CGImage, height: Int) {
        // Its own colour space where that is an RGB one, so that no value changes. Grey, palettes and CMYK go to device RGB.
        let own = image.colorSpace.flatMap { $0.model == .rgb ? $0 : nil }
        let layout = CGImageAlphaInfo.premultipliedLast.rawValue | CGBitmapInfo.byteOrder32Big.rawValue
        for space in [own, CGColorSpaceCreateDeviceRGB()].compactMap({ $0 }) {
            if let context = CGContext(
                data: nil, width: image.width, height: height, bitsPerComponent: 8, bytesPerRow: 0, space: space,
                bitmapInfo: layout)
            {
                context.setBlendMode(.copy)
                context.interpolationQuality = .none
                self.context = context
                self.height = height
                return
            }
        }
        return nil
    }

    /// Rows `top` to `top + height` of the picture; Core Graphics counts from the bottom.
    func draw(_ image: CGImage, top: Int) -> UnsafeRawBufferPointer? {
        let bottom = CGFloat(top + height - image.height)
        context.clear(CGRect(x: 0, y: 0, width: CGFloat(image.width), height: CGFloat(height)))
        context.draw(
            image, in: CGRect(x: 0, y: bottom, width: CGFloat(image.width), height: CGFloat(image.height)))
        return context.data.map { UnsafeRawBufferPointer(start: $0, count: context.bytesPerRow * height) }
    }
}
