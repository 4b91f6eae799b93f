import CoreML
import Foundation
import LarIqaKit
import Recorded

/// In Core ML's place: takes images of these sizes, keeps what it is given, and gives the score that a test says.
public final class RecordedModel: MLModel {
    private let sizes: [String: PhotoSize?]
    private let score: ([String: CVPixelBuffer]) throws -> Double
    public private(set) var given: [String: CVPixelBuffer] = [:]

    /// - Parameters:
    ///   - sizes: of the inputs; nil: one that is no image.
    ///   - score: of what goes in.
    public init(_ sizes: [String: PhotoSize?], score: @escaping ([String: CVPixelBuffer]) throws -> Double) {
        self.sizes = sizes
        self.score = score
        super.init()
    }

    /// With the scores that PyTorch gave exactly these pixels.
    public convenience init(_ artifact: Artifact) throws {
        let scores = try Vectors.recorded(artifact.input)
        self.init(
            Dictionary(uniqueKeysWithValues: artifact.inputs.map { ($0.name, $0.imageSize) })
        ) { given in
            let hashes = given.mapValues { Sha256.of(Self.rgb($0)) }
            guard let score = scores[Vectors.key(hashes)] else {
                throw Refusal("no score is recorded for these inputs")
            }
            return score
        }
    }

    /// What a buffer holds, row by row, without its padding and its alpha, which must be full.
    public static func rgb(_ buffer: CVPixelBuffer) -> Data {
        let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
        var pixels = Data(capacity: width * height * 3)
        guard let bytes = CVPixelBufferGetBaseAddress(buffer) else { return pixels }
        for row in 0..<height {
            for column in 0..<width {
                let at = bytes + row * CVPixelBufferGetBytesPerRow(buffer) + column * 4
                let bgra = (0..<4).map { at.load(fromByteOffset: $0, as: UInt8.self) }
                pixels.append(contentsOf: bgra[3] == 255 ? [bgra[2], bgra[1], bgra[0]] : [])
            }
        }
        return pixels
    }

    override public var modelDescription: MLModelDescription { Description(sizes) }

    override public func prediction(from input: any MLFeatureProvider) async throws -> any MLFeatureProvider {
        given = sizes.keys.reduce(into: [:]) { $0[$1] = input.featureValue(for: $1)?.imageBufferValue }
        return try MLDictionaryFeatureProvider(
            dictionary: ["score": MLFeatureValue(multiArray: Score(try score(given)))])
    }

    private final class Description: MLModelDescription {
        private let sizes: [String: PhotoSize?]

        init(_ sizes: [String: PhotoSize?]) {
            self.sizes = sizes
            super.init()
        }

        override var inputDescriptionsByName: [String: MLFeatureDescription] {
            sizes.mapValues { Feature($0 == nil ? .multiArray : .image, $0) }
        }
        override var outputDescriptionsByName: [String: MLFeatureDescription] {
            ["score": Feature(.multiArray, nil)]
        }
    }

    private final class Feature: MLFeatureDescription {
        private let kind: MLFeatureType
        private let size: PhotoSize?

        init(_ kind: MLFeatureType, _ size: PhotoSize?) {
            (self.kind, self.size) = (kind, size)
            super.init()
        }

        override var type: MLFeatureType { kind }
        override var imageConstraint: MLImageConstraint? { size.map(Constraint.init) }
    }

    private final class Constraint: MLImageConstraint {
        private let size: PhotoSize

        init(_ size: PhotoSize) {
            self.size = size
            super.init()
        }

        override var pixelsWide: Int { size.width }
        override var pixelsHigh: Int { size.height }
    }

    private final class Score: MLMultiArray {
        private let score: Double

        init(_ score: Double) {
            self.score = score
            super.init()
        }

        override var count: Int { 1 }
        override subscript(index: Int) -> NSNumber { score as NSNumber }
    }
}
