// Stand-in for the part of Core Graphics that the app uses: a picture is bytes, drawing copies them, colours and alpha
// stay as they are. See Package.swift.
import Foundation

public typealias CFString = String
public typealias CFData = Data
public typealias CFDictionary = [AnyHashable: Any]

public enum CGColorSpaceModel: Sendable { case monochrome, rgb, cmyk, indexed }
public final class CGColorSpace: Sendable {
    public let model = CGColorSpaceModel.rgb
}
public func CGColorSpaceCreateDeviceRGB() -> CGColorSpace { CGColorSpace() }

public enum CGImageAlphaInfo: UInt32, Sendable { case none = 0, premultipliedLast = 1 }
public struct CGBitmapInfo: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let byteOrder32Big = CGBitmapInfo(rawValue: 4 << 12)
}
public enum CGColorRenderingIntent: Sendable { case defaultIntent }
public enum CGBlendMode: Sendable { case normal, copy }
public enum CGInterpolationQuality: Sendable { case none }

public final class CGDataProvider: Sendable {
    fileprivate let data: Data

    public init?(data: CFData) { self.data = data }
}

public final class CGImage: Sendable {
    public let width: Int
    public let height: Int
    public let colorSpace: CGColorSpace? = CGColorSpaceCreateDeviceRGB()
    fileprivate let bytesPerPixel: Int
    fileprivate let bytes: Data

    public init?(
        width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int, space: CGColorSpace,
        bitmapInfo: CGBitmapInfo, provider: CGDataProvider, decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool,
        intent: CGColorRenderingIntent
    ) {
        guard bytesPerRow == width * bitsPerPixel / 8, provider.data.count >= bytesPerRow * height else { return nil }
        self.width = width
        self.height = height
        bytesPerPixel = bitsPerPixel / 8
        bytes = provider.data
    }
}

public final class CGContext {
    public let data: UnsafeMutableRawPointer?
    public let bytesPerRow: Int
    public var interpolationQuality = CGInterpolationQuality.none
    private let width: Int
    private let height: Int

    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: UInt32
    ) {
        (self.width, self.height) = (width, height)
        self.bytesPerRow = (width * 4 / 64 + 1) * 64
        self.data = .allocate(byteCount: self.bytesPerRow * height, alignment: 64)
        clear(CGRect(x: 0, y: 0, width: width, height: height))
    }
    deinit { data?.deallocate() }
    public func setBlendMode(_ mode: CGBlendMode) {}
    /// All of it, whatever the rectangle.
    public func clear(_ rect: CGRect) {
        data?.initializeMemory(as: UInt8.self, repeating: 0, count: bytesPerRow * height)
    }
    /// Unscaled: the rectangle has the image's size; its origin is counted from the bottom.
    public func draw(_ image: CGImage, in rect: CGRect) {
        guard let data else { return }
        for row in 0..<height {
            let from = Int(rect.origin.y) + image.height - height + row  // the image's row that lies here
            guard (0..<image.height).contains(from) else { continue }
            for column in 0..<min(width, image.width) {
                let at = (from * image.width + column) * image.bytesPerPixel
                for channel in 0..<4 {
                    let value = channel < image.bytesPerPixel ? image.bytes[image.bytes.startIndex + at + channel] : 255
                    data.storeBytes(of: value, toByteOffset: row * bytesPerRow + column * 4 + channel, as: UInt8.self)
                }
            }
        }
    }
}
