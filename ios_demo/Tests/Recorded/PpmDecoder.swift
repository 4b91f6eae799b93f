import Foundation
import LarIqaKit

/// Decodes the PPM files of the vectors, and the export's golden files, whose pixels the vectors hold as PPM.
public struct PpmDecoder: PhotoDecoding {
    public let library = "the vectors"
    private let jpeg: String
    private let heic: String

    /// - Parameters:
    ///   - jpeg: which of the vectors' decodes of golden.jpg it gives.
    ///   - heic: the same of golden.heic.
    public init(jpeg: String = "golden_jpg", heic: String = "golden_heic") {
        (self.jpeg, self.heic) = (jpeg, heic)
    }

    public func photo(from data: Data, named name: String) throws -> Photo {
        if data.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
            let export = try Vectors.tinyExport()
            let decoded = try ["golden_jpg", "golden_heic"].first {
                try data == Data(contentsOf: export.appendingPathComponent("\($0).png"))
            }
            return try Vectors.photo(decoded ?? "tile")
        }
        if LossyFile.of(data) == .heic { return try Vectors.photo(heic) }
        if data.starts(with: [0xff, 0xd8, 0xff]) { return try Vectors.photo(jpeg) }
        return try Self.photo(data, named: name)
    }

    static func photo(_ data: Data, named name: String) throws -> Photo {
        guard !data.isEmpty else { throw PhotoRefusal.empty(name) }
        let fields = data.prefix(32).split(whereSeparator: { $0 == 0x0a || $0 == 0x20 }).prefix(4)
        let words = fields.map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 4, words[0] == "P6", let width = Int(words[1]), let height = Int(words[2]),
            let end = fields.last?.endIndex
        else { throw PhotoRefusal.otherKind(name, beginning: data) }
        let pixels = data[(end + 1)...]
        guard pixels.count == width * height * 3 else { throw PhotoRefusal.damaged(name, "it ends early") }
        return try Photo(size: PhotoSize(width: width, height: height), rgb: [UInt8](pixels))
    }
}
