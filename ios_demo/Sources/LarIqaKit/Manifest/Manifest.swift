import Foundation

/// `lariqa.json`, schema `lariqa-manifest/2`: the one contract between an export and whoever runs it.
///
/// Schema, words and units: docs/schemas/manifest.md. This reader refuses any other schema, and a row that contradicts itself.
public struct Manifest: Sendable, Equatable {
    public static let schema = "lariqa-manifest/2"
    public static let fileName = "lariqa.json"

    public let toolkitVersion: String
    public let checkpointSha256: String
    public let preprocess: PreprocessSpec
    public let provenance: Provenance
    public let score: ScoreScale
    public let tolerances: Tolerances
    public let artifacts: [Artifact]
    /// The photo that every artifact's reference score is recorded for; nil in an export of an older toolkit.
    public let golden: Golden?

    public struct Provenance: Decodable, Sendable, Equatable {
        public let trained: Bool
        public let madeBy: String
    }

    public struct ScoreScale: Decodable, Sendable, Equatable {
        public let higherIs: String
        public let nominalRange: [Double]
        public let meaning: String
    }

    public struct Golden: Decodable, Sendable, Equatable {
        public let file: String
        public let sha256: String
        public let fill: String
        /// The rules of the audition's pictures; nil in an export of an older toolkit.
        public let generator: String?
        /// What this phone's decoders are held to; nil in an export of an older toolkit.
        public let jpeg: Lossy?
        public let heic: Lossy?
    }

    /// A small 4:2:0 file, and losslessly the pixels that Pillow decodes it to (with libjpeg-turbo; libheif).
    public struct Lossy: Decodable, Sendable, Equatable {
        public let file: String
        public let sha256: String
        public let pixelsFile: String
        public let pixelsSha256: String
    }

    /// Reads a manifest.
    ///
    /// - Parameters:
    ///   - data: the JSON text.
    ///   - place: names the source in errors.
    /// - Throws: `Refusal`: not JSON, another schema, not complete, or a row that contradicts itself.
    public init(json data: Data, place: String) throws {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: data)
        } catch {
            throw Refusal("\(place) is not JSON: \(Self.reason(error)); export again, into another folder")
        }
        let keys: [String: JSONValue] = if case .object(let object) = value { object } else { [:] }
        guard case .string(Self.schema)? = keys["schema"] else {
            throw Refusal(
                "\(place) has schema \((keys["schema"] ?? .null).inWords), this version reads '\(Self.schema)'; "
                    + "export again with this toolkit")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let written: Written
        do {
            written = try decoder.decode(Written.self, from: data)
        } catch {
            throw Refusal("\(place) is not a complete manifest: \(Self.reason(error))")
        }
        guard case .object(let model)? = keys["model"], case .object(let spec)? = model["preprocess"] else {
            throw Refusal("\(place) is not a complete manifest: 'preprocess'")
        }
        do {
            let preprocess = try PreprocessSpec(json: spec)
            self.preprocess = preprocess
            if let problem = written.tolerances.problem { throw Refusal(problem) }
            try written.artifacts.forEach { try $0.refuseContradictions(preprocess) }
        } catch let refusal as Refusal {
            throw Refusal("\(place) is not a complete manifest: \(refusal.sentence)")
        }
        toolkitVersion = written.toolkitVersion
        checkpointSha256 = written.checkpointSha256
        provenance = written.model.provenance
        score = written.score
        tolerances = written.tolerances
        golden = written.golden
        artifacts = written.artifacts
    }

    private struct Written: Decodable {
        let toolkitVersion: String
        let checkpointSha256: String
        let model: Model
        let score: ScoreScale
        let tolerances: Tolerances
        let artifacts: [Artifact]
        let golden: Golden?

        struct Model: Decodable {
            let provenance: Provenance
        }
    }

    /// What the decoder missed, by its name in the file.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "'\(snake(key.stringValue))'"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(context.codingPath.map { snake($0.stringValue) }.joined(separator: "."))' holds something else"
        case DecodingError.dataCorrupted(let context): context.debugDescription
        default: "\(error)"
        }
    }

    private static func snake(_ name: String) -> String {
        name.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
    }
}
