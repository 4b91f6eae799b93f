// The stand-ins for Core ML and Core Video can be made by a test; Apple's own classes cannot.
#if os(Linux)
    import CoreML
    import Foundation
    import LarIqaKit
    import Recorded
    import Testing

    @testable import LarIqaApple

    @Suite(
        "Core ML is given each view by its name, as a BGRA buffer of its size",
        .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
    struct CoreMLRunnerTests {
        @Test("Both views of a photo of any size go in, and the score comes out", arguments: ["views", "pixels"])
        func run(input: String) async throws {
            let spec = try ExportFolder(Vectors.tinyExport(), named: "export").manifest.preprocess
            let artifact = try Vectors.artifact(input)
            let model = FakeModel(sizes(artifact))
            let runner = try opened(model, artifact)
            for row in try Vectors.scores(input) where row.photo != Vectors.golden {
                let inputs = try ModelInputs(of: Vectors.photo(row.photo), for: artifact, spec, fit: false)
                let run = try await runner.run(inputs)
                #expect(run.score == 0.625 && run.bufferMs > 0)
                #expect(model.given.mapValues { Sha256.of(rgb($0)) } == row.inputs, "\(row.photo)")
            }
        }

        @Test("A model with other inputs than lariqa.json says is refused")
        func otherInputs() throws {
            let artifact = try Vectors.artifact("views")
            let right = sizes(artifact)
            var (missing, renamed, resized, noImage) = (right, right, right, right)
            missing["synthetic"] = nil
            renamed["other"] = renamed.removeValue(forKey: "synthetic")
            resized["synthetic"] = PhotoSize(width: 64, height: 128)
            noImage["synthetic"] = .some(nil)
            for (takes, said) in [
                (missing, "authentic 128x128"), (renamed, "authentic 128x128, other 128x128"),
                (resized, "authentic 128x128, synthetic 64x128"),
                (noImage, "authentic 128x128, synthetic which is no image"), ([:], "nothing"),
            ] {
                let sentence =
                    "\(artifact.file) takes \(said), lariqa.json says authentic 128x128, synthetic 128x128; export again"
                #expect(throws: Refusal(sentence)) { try opened(FakeModel(takes), artifact) }
            }
        }

        private func sizes(_ artifact: Artifact) -> [String: PhotoSize?] {
            Dictionary(uniqueKeysWithValues: artifact.inputs.map { ($0.name, $0.imageSize) })
        }

        private func opened(_ model: FakeModel, _ artifact: Artifact) throws -> CoreMLRunner {
            try CoreMLRunner(model, at: URL(fileURLWithPath: "/"), MLModelConfiguration(), artifact: artifact)
        }

        /// What a buffer holds, row by row, without its padding and its alpha, which must be full.
        private func rgb(_ buffer: CVPixelBuffer) -> Data {
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
    }

    /// Takes images of these sizes, and keeps what it is given; nil: an input that is no image.
    private final class FakeModel: MLModel {
        private let sizes: [String: PhotoSize?]
        private(set) var given: [String: CVPixelBuffer] = [:]

        init(_ sizes: [String: PhotoSize?]) {
            self.sizes = sizes
            super.init()
        }

        override var modelDescription: MLModelDescription { Description(sizes) }

        override func prediction(from input: any MLFeatureProvider) async throws -> any MLFeatureProvider {
            given = sizes.keys.reduce(into: [:]) { $0[$1] = input.featureValue(for: $1)?.imageBufferValue }
            return try MLDictionaryFeatureProvider(dictionary: ["score": MLFeatureValue(multiArray: Score())])
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
            override var count: Int { 1 }
            override subscript(index: Int) -> NSNumber { 0.625 }
        }
    }
#endif
