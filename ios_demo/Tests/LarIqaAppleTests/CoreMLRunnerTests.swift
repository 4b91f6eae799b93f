// The stand-ins for Core ML and Core Video can be made by a test; Apple's own classes cannot.
#if os(Linux)
    import CoreML
    import Foundation
    import LarIqaKit
    import Recorded
    import StandIns
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
            let model = RecordedModel(sizes(artifact)) { _ in 0.625 }
            let runner = try opened(model, artifact)
            for row in try Vectors.scores(input) where row.photo != Vectors.golden {
                let inputs = try ModelInputs(of: Vectors.photo(row.photo), for: artifact, spec, fit: false)
                let run = try await runner.run(inputs)
                #expect(run.score == 0.625 && run.bufferMs > 0)
                #expect(model.given.mapValues { Sha256.of(RecordedModel.rgb($0)) } == row.inputs, "\(row.photo)")
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
                #expect(throws: Refusal(sentence)) { try opened(model(takes), artifact) }
            }
        }

        private func model(_ sizes: [String: PhotoSize?]) -> RecordedModel { RecordedModel(sizes) { _ in 0.625 } }

        private func sizes(_ artifact: Artifact) -> [String: PhotoSize?] {
            Dictionary(uniqueKeysWithValues: artifact.inputs.map { ($0.name, $0.imageSize) })
        }

        private func opened(_ model: RecordedModel, _ artifact: Artifact) throws -> CoreMLRunner {
            try CoreMLRunner(model, at: URL(fileURLWithPath: "/"), MLModelConfiguration(), artifact: artifact)
        }
    }
#endif
