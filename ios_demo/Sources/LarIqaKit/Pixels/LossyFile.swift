import Foundation

/// Whether a photo file is of a kind that two decoders may make different pixels of, told by its first bytes.
public enum LossyFile {
    private static let ftyp = Array("ftyp".utf8)

    /// JPEG, HEIC, AVIF, and WebP unless it is the lossless kind.
    public static func isLossy(_ data: Data) -> Bool {
        let start = [UInt8](data.prefix(16))
        guard start.count >= 12 else { return false }
        if start.starts(with: [0xff, 0xd8, 0xff]) { return true }
        if Array(start[4..<8]) == ftyp { return true }
        let isWebP = start.starts(with: Array("RIFF".utf8)) && Array(start[8..<12]) == Array("WEBP".utf8)
        return isWebP && !start[12...].starts(with: Array("VP8L".utf8))
    }
}
