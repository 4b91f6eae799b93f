import Foundation

/// Width and height in pixels.
public struct PhotoSize: Sendable, Hashable, CustomStringConvertible {
    public let width: Int
    public let height: Int

    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    public var pixels: Int { width * height }
    /// Whether a photo may have this size; a manifest may hold any number.
    var isPhoto: Bool {
        let sides = 1...Photo.maxPixels
        return sides.contains(width) && sides.contains(height) && pixels <= Photo.maxPixels
    }
    /// As the command line writes it: `3840x2160`.
    public var description: String { "\(width)x\(height)" }
}
