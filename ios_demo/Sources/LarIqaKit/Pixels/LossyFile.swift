import Foundation

/// Kinds of photo files of which two decoders may make different pixels, each with a golden file that tells by how much.
public enum LossyFile: Sendable {
    /// WebP and AVIF too, which have no golden file of their own.
    case jpeg
    case heic

    /// Told by its first bytes.
    ///
    /// - Returns: nil: it loses nothing, or is no photo.
    public static func of(_ data: Data) -> LossyFile? {
        let start = [UInt8](data.prefix(64))
        guard start.count >= 12 else { return nil }
        if start.starts(with: [0xff, 0xd8, 0xff]) { return .jpeg }
        let (kind, brand) = (text(start[4..<8]), text(start[8..<12]))
        if kind == "ftyp" { return brands(start).isDisjoint(with: ["avif", "avis"]) ? .heic : .jpeg }
        let isWebP = text(start[0..<4]) == "RIFF" && brand == "WEBP"
        return isWebP && !start[12...].starts(with: Array("VP8L".utf8)) ? .jpeg : nil
    }

    /// Of a file type box (ISO 14496-12, 4.3): the major one, and after a version those that it is compatible with.
    private static func brands(_ start: [UInt8]) -> Set<String> {
        let length = start[0..<4].reduce(0) { $0 << 8 | Int($1) }
        let ends = stride(from: 20, through: min(length, start.count), by: 4)
        return Set([text(start[8..<12])] + ends.map { text(start[($0 - 4)..<$0]) })
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
