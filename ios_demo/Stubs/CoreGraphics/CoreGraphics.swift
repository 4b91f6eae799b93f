// Stand-in for the part of Core Graphics that the app uses: type-checks on Linux, draws nothing. See Package.swift.
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
    public init?(data: CFData) {}
}

public final class CGImage: Sendable {
    public let width: Int
    public let height: Int
    public let colorSpace: CGColorSpace? = nil

    public init?(
        width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int, space: CGColorSpace,
        bitmapInfo: CGBitmapInfo, provider: CGDataProvider, decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool,
        intent: CGColorRenderingIntent
    ) {
        self.width = width
        self.height = height
    }
}

public final class CGContext {
    public let data: UnsafeMutableRawPointer? = nil
    public let bytesPerRow = 0
    public var interpolationQuality = CGInterpolationQuality.none

    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: UInt32
    ) { return nil }
    public func setBlendMode(_ mode: CGBlendMode) {}
    public func clear(_ rect: CGRect) {}
    public func draw(_ image: CGImage, in rect: CGRect) {}
}
