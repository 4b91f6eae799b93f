import CoreVideo
import Foundation
import LarIqaKit

/// What an image input is in Core ML: a 32BGRA pixel buffer of its size, which accelerators can map.
enum PixelBuffer {
    static func make(_ photo: Photo) throws -> CVPixelBuffer {
        let attributes = [kCVPixelBufferIOSurfacePropertiesKey: [String: String]()] as CFDictionary
        var made: CVPixelBuffer?
        let status = CVPixelBufferCreate(
            nil, photo.width, photo.height, kCVPixelFormatType_32BGRA, attributes, &made)
        guard status == kCVReturnSuccess, let buffer = made else {
            throw Refusal(
                "expected \(photo.size.pixels * 4 >> 20) MiB for a pixel buffer of \(photo.size), the system gave none "
                    + "(status \(status)); close other apps")
        }
        CVPixelBufferLockBaseAddress(buffer, [])
        defer { CVPixelBufferUnlockBaseAddress(buffer, []) }
        let bytes = UnsafeMutableRawBufferPointer(
            start: CVPixelBufferGetBaseAddress(buffer), count: CVPixelBufferGetDataSize(buffer))
        guard photo.fillBGRA(bytes, bytesPerRow: CVPixelBufferGetBytesPerRow(buffer)) else {
            throw Refusal("expected a pixel buffer of \(photo.size), came one of \(bytes.count) bytes; restart the app")
        }
        return buffer
    }
}
