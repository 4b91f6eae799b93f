import Foundation
import LarIqaKit

/// What `make_vectors.py` wrote with the Python side, for the tests to be held against.
public enum Vectors {
    /// Nil without `LARIQA_VECTORS`: `make test-ios` sets it. `swift test` by itself then skips what needs them.
    public static let folder: URL? = {
        let path = ProcessInfo.processInfo.environment["LARIQA_VECTORS"] ?? ""
        return path.isEmpty ? nil : URL(fileURLWithPath: path, isDirectory: true)
    }()

    public static var areThere: Bool { folder != nil }
    public static let missing = "make test-ios writes the vectors that this test needs"

    struct NotThere: Error {}

    public static func place() throws -> URL {
        guard let folder else { throw NotThere() }
        return folder
    }

    public static func read<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: try Data(contentsOf: place().appendingPathComponent("\(name).json")))
    }

    /// A full-size export, where `LARIQA_EXPORT` names one.
    public static let export: URL? = {
        let path = ProcessInfo.processInfo.environment["LARIQA_EXPORT"] ?? ""
        return path.isEmpty ? nil : URL(fileURLWithPath: path, isDirectory: true)
    }()

    /// The real export of a tiny model: a file that takes views, and one that takes pixels.
    public static func tinyExport() throws -> URL { try place().appendingPathComponent("export", isDirectory: true) }

    /// A photo of one input of the tiny export: PyTorch's score, and the sha256 of what Python made of it for each input.
    public struct Scored: Decodable, Sendable {
        public let photo: String
        public let width: Int
        public let height: Int
        public let reference: Double
        public let inputs: [String: String]

        public var size: PhotoSize { PhotoSize(width: width, height: height) }
    }

    /// Of the golden photo, which has no file: the self-test makes it.
    public static let golden = "golden.png"

    /// - Parameter input: `views` or `pixels`.
    public static func scores(_ input: String) throws -> [Scored] {
        guard let rows = try read("scores", as: [String: [Scored]].self)[input] else { throw NotThere() }
        return rows
    }

    /// The audition of the export, and decodes of the golden lossy files.
    public struct Audition: Decodable, Sendable {
        /// sha256 of a generated picture at a size.
        public struct Picture: Decodable, Sendable {
            public let picture: String
            public let width: Int
            public let height: Int
            public let sha256: String
        }

        /// One decode: how many levels it is off, and its score as the audition shows it.
        public struct Decode: Decodable, Sendable {
            public let photo: String
            public let reference: Double
            public let inputs: [String: String]
            public let worst: Int
            public let mean: Double
            public let share: Double
        }

        public let pictures: [Picture]
        /// The audition's pictures of the export, as inputs.
        public let judged: [Scored]
        public let decodes: [Decode]

        public func decode(_ name: String) throws -> Decode {
            guard let row = decodes.first(where: { $0.photo == name }) else { throw NotThere() }
            return row
        }
    }

    public static func audition() throws -> Audition { try read("audition") }

    /// All scores that are recorded for one input, by `key`.
    public static func recorded(_ input: String) throws -> [String: Double] {
        var rows = try scores(input).map { (key($0.inputs), $0.reference) }
        if input == "views" {
            let audition = try audition()
            rows += audition.judged.map { (key($0.inputs), $0.reference) }
            rows += audition.decodes.map { (key($0.inputs), $0.reference) }
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// Input -> sha256 of its pixels, as one text.
    public static func key(_ inputs: [String: String]) -> String {
        inputs.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
    }

    public static func reference(_ photo: String, input: String = "views") throws -> Double {
        guard let row = try scores(input).first(where: { $0.photo == photo }) else { throw NotThere() }
        return row.reference
    }

    /// The tiny export's file for one input.
    public static func artifact(_ input: String) throws -> Artifact {
        let folder = try ExportFolder(tinyExport(), named: "export")
        guard let artifact = folder.artifacts.first(where: { $0.input == input }) else { throw NotThere() }
        return artifact
    }

    /// A copy of the export that a test may spoil.
    public static func exportToSpoil() throws -> URL {
        let copy = try temporaryFolder().appendingPathComponent("export", isDirectory: true)
        try FileManager.default.copyItem(at: tinyExport(), to: copy)
        return copy
    }

    /// A copy of the export with one text in `lariqa.json` replaced by another; throws where that is not there.
    ///
    /// - Parameter spoiled: a copy that is changed already; nil: a new one.
    public static func export(replacing old: String, with new: String, in spoiled: URL? = nil) throws -> URL {
        let copy = try spoiled ?? exportToSpoil()
        let path = copy.appendingPathComponent("lariqa.json")
        let text = try String(contentsOf: path, encoding: .utf8)
        guard text.contains(old) else { throw NotThere() }
        try text.replacingOccurrences(of: old, with: new).write(to: path, atomically: true, encoding: .utf8)
        return copy
    }

    public static func photoFile(_ name: String) throws -> Data {
        try Data(contentsOf: place().appendingPathComponent("photos/\(name).ppm"))
    }

    public static func photo(_ name: String) throws -> Photo {
        try PpmDecoder.photo(photoFile(name), named: name)
    }

    public static func temporaryFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lariqa-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// A picture in a vector.
public struct Pixels: Decodable, Sendable {
    public let width: Int
    public let height: Int
    public let pixels: Data

    public func photo() throws -> Photo {
        try Photo(size: PhotoSize(width: width, height: height), rgb: [UInt8](pixels))
    }
}

/// The sentence that a call is refused with; what it did instead where it was not.
public func refusal<T>(_ call: () throws -> T) -> String {
    do {
        return "not refused: \(try call())"
    } catch let refusal as Refusal {
        return refusal.sentence
    } catch {
        return "not a refusal: \(error)"
    }
}
