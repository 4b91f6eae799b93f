// The stand-ins for Core AI can be made by a test; Apple's own functions cannot.
#if os(Linux)
    import CoreAI
    import Foundation
    import LarIqaKit
    import Recorded
    import Testing

    @testable import LarIqaApple

    @Suite(
        "Core AI is given each view by its name, as bytes of its size",
        .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
    struct CoreAIRunnerTests {
        @Test("Both views of a photo of any size go in, and the score comes out", arguments: ["views", "pixels"])
        func run(input: String) async throws {
            let spec = try ExportFolder(Vectors.tinyExport(), named: "export").manifest.preprocess
            let artifact = try Vectors.artifact(input)
            let given = Given()
            let runner = try CoreAIRunner(function(described(artifact), given), artifact: artifact)
            for row in try Vectors.scores(input) where row.photo != Vectors.golden {
                let inputs = try ModelInputs(of: Vectors.photo(row.photo), for: artifact, spec, fit: false)
                let run = try await runner.run(inputs)
                #expect(run.score == 0.625 && run.bufferMs > 0)
                #expect(given.arrays.mapValues { Sha256.of($0.bytes) } == row.inputs, "\(row.photo)")
                #expect(given.arrays.mapValues(\.shape) == shapes(artifact))
            }
        }

        @Test("A function with other inputs than lariqa.json says is refused")
        func otherInputs() throws {
            let artifact = try Vectors.artifact("views")
            let right = described(artifact)
            var (missing, resized, floats, image) = (right, right, right, right)
            missing["synthetic"] = nil
            resized["synthetic"] = .ndArray(NDArrayDescriptor(shape: [1, 64, 128, 3], scalarType: .uint8))
            floats["synthetic"] = .ndArray(NDArrayDescriptor(shape: [1, 128, 128, 3], scalarType: .float32))
            image["synthetic"] = .image
            for (takes, said) in [
                (missing, "authentic 1x128x128x3"), (resized, "authentic 1x128x128x3, synthetic 1x64x128x3"),
                (floats, "authentic 1x128x128x3, synthetic which is no array of bytes"),
                (image, "authentic 1x128x128x3, synthetic which is no array of bytes"), ([:], "nothing"),
            ] {
                let sentence =
                    "\(artifact.file) takes \(said), lariqa.json says authentic 1x128x128x3, synthetic 1x128x128x3; "
                    + "export again"
                #expect(throws: Refusal(sentence)) { try CoreAIRunner(function(takes, Given()), artifact: artifact) }
            }
        }

        @Test("Where the system has Core AI its file comes first; each file goes to the framework that it is made for")
        func chosen() async throws {
            let both = try Vectors.export(replacing: "\"format\": \"coreml\"", with: "\"format\": \"coreai\"")
            #expect(AppleOpener.formats == ["coreai", "coreml"])
            let folder = try ExportFolder(both, named: "export", formats: AppleOpener.formats)
            let artifact = try #require(folder.artifacts.first)
            #expect(artifact.format == "coreai" && artifact.input == "views")
            #expect(throws: Refusal.self) { try ExportFolder(both, named: "export", formats: ["coreml"]) }
            let opener = AppleOpener(compiled: CompiledModels(folder: try Vectors.temporaryFolder(), system: "test"))
            await #expect(throws: CoreAIIsNotHere.self) { try await opener.open(artifact, at: both, units: .all) }
        }

        private func shapes(_ artifact: Artifact) -> [String: [Int]] {
            Dictionary(uniqueKeysWithValues: artifact.inputs.map { ($0.name, $0.shape) })
        }

        private func described(_ artifact: Artifact) -> [String: InferenceValue.Descriptor] {
            shapes(artifact).mapValues { .ndArray(NDArrayDescriptor(shape: $0, scalarType: .uint8)) }
        }

        private func function(_ takes: [String: InferenceValue.Descriptor], _ given: Given) -> InferenceFunction {
            InferenceFunction(InferenceFunctionDescriptor(inputs: takes, outputNames: ["score"])) { arrays in
                given.arrays = arrays
                return ["score": NDArray(scalars: [Float(0.625)], shape: [1, 1])]
            }
        }
    }

    /// What the function was given last.
    private final class Given: @unchecked Sendable {
        var arrays: [String: NDArray] = [:]
    }
#endif
