import Foundation

extension Photo {
    /// Fill a 32BGRA pixel buffer, what Core ML takes for an image input: the values unchanged, alpha 255.
    ///
    /// - Parameters:
    ///   - buffer: the locked memory of a buffer of this photo's size.
    ///   - bytesPerRow: from one row to the next; often more than 4 bytes a pixel.
    /// - Returns: whether the memory is large enough; nothing is written if not.
    public func fillBGRA(_ buffer: UnsafeMutableRawBufferPointer, bytesPerRow: Int) -> Bool {
        guard bytesPerRow >= width * 4, buffer.count >= bytesPerRow * (height - 1) + width * 4 else { return false }
        rgb.withUnsafeBufferPointer { source in
            var from = 0
            for row in 0..<height {
                var to = row * bytesPerRow
                for _ in 0..<width {
                    buffer[to] = source[from + 2]
                    buffer[to + 1] = source[from + 1]
                    buffer[to + 2] = source[from]
                    buffer[to + 3] = 255
                    from += 3
                    to += 4
                }
            }
        }
        return true
    }
}
