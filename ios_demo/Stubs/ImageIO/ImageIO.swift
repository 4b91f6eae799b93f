// Stand-in for the part of ImageIO that the app uses: opens nothing, unless a test says what a file's pixels are. See
// Package.swift.
@_exported import CoreGraphics
import Foundation

/// What tests put in ImageIO's place: a file -> its picture; nil: no photo. Set once, before anything is decoded.
nonisolated(unsafe) public var standInForDecoding: @Sendable (Data) -> CGImage? = { _ in nil }

public final class CGImageSource: Sendable {
    fileprivate let image: CGImage

    fileprivate init(_ image: CGImage) { self.image = image }
}
public enum CGImageSourceStatus: Sendable { case statusComplete, statusIncomplete }

public let kCGImagePropertyPixelWidth: CFString = "PixelWidth"
public let kCGImagePropertyPixelHeight: CFString = "PixelHeight"
public let kCGImagePropertyOrientation: CFString = "Orientation"
public let kCGImageSourceShouldCacheImmediately: CFString = "kCGImageSourceShouldCacheImmediately"

public func CGImageSourceCreateWithData(_ data: CFData, _ options: CFDictionary?) -> CGImageSource? {
    standInForDecoding(data).map(CGImageSource.init)
}
public func CGImageSourceGetType(_ source: CGImageSource) -> CFString? { "public.image" }
public func CGImageSourceGetCount(_ source: CGImageSource) -> Int { 1 }
public func CGImageSourceGetPrimaryImageIndex(_ source: CGImageSource) -> Int { 0 }
public func CGImageSourceGetStatusAtIndex(_ source: CGImageSource, _ index: Int) -> CGImageSourceStatus {
    .statusComplete
}
public func CGImageSourceCopyPropertiesAtIndex(
    _ source: CGImageSource, _ index: Int, _ options: CFDictionary?
) -> CFDictionary? {
    [kCGImagePropertyPixelWidth: source.image.width, kCGImagePropertyPixelHeight: source.image.height]
}
public func CGImageSourceCreateImageAtIndex(
    _ source: CGImageSource, _ index: Int, _ options: CFDictionary?
) -> CGImage? { source.image }
