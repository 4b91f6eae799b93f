#if canImport(CoreML)
    import CoreML
    import CoreVideo
    import Foundation
    import LarIqaKit

    /// One Core ML model that takes images: a photo's views, or the photo itself. Names and sizes are read from the model, and
    /// compared with the manifest.
    ///
    /// Asynchronous `MLModel.prediction(from:)`: iOS 17, macOS 14; it throws `CancellationError` when its task is cancelled.
    /// Unchecked, because `MLModel` is not marked `Sendable` in every SDK: predictions do not change it, and neither does this class.
    final class CoreMLRunner: Runner, @unchecked Sendable {
        let runtime: String
        private let model: MLModel
        private let output: String
        private let compiled: URL
        private let configuration: MLModelConfiguration

        /// - Parameters:
        ///   - model: loaded with `configuration` from `compiled`.
        ///   - artifact: its row in the manifest.
        /// - Throws: `Refusal`: the model is not the one that the manifest describes.
        init(_ model: MLModel, at compiled: URL, _ configuration: MLModelConfiguration, artifact: Artifact) throws {
            let description = model.modelDescription
            let takes = description.inputDescriptionsByName.mapValues { feature in
                feature.imageConstraint.map { PhotoSize(width: $0.pixelsWide, height: $0.pixelsHigh) }
            }
            let promised = Dictionary(
                artifact.inputs.map { ($0.name, $0.imageSize) }, uniquingKeysWith: { first, _ in first })
            guard takes == promised, !takes.values.contains(nil) else {
                throw Refusal(
                    "\(artifact.file) takes \(Self.inWords(takes)), lariqa.json says \(Self.inWords(promised)); "
                        + "export again")
            }
            guard description.outputDescriptionsByName[artifact.output]?.type == .multiArray else {
                throw Refusal(
                    "\(artifact.file) gives \(description.outputDescriptionsByName.keys.sorted()), lariqa.json says "
                        + "\(artifact.output); export again")
            }
            self.model = model
            self.compiled = compiled
            self.configuration = configuration
            output = artifact.output
            runtime = "Core ML, \(ProcessInfo.processInfo.operatingSystemVersionString)"
        }

        /// `authentic 384x384, synthetic 1280x1280`.
        private static func inWords(_ inputs: [String: PhotoSize?]) -> String {
            let described = inputs.map { "\($0.key) \($0.value?.description ?? "which is no image")" }
            return described.isEmpty ? "nothing" : described.sorted().joined(separator: ", ")
        }

        func run(_ inputs: ModelInputs) async throws -> Run {
            let clock = ContinuousClock()
            let began = clock.now
            let buffers = try inputs.images.mapValues { MLFeatureValue(pixelBuffer: try PixelBuffer.make($0)) }
            let features = try MLDictionaryFeatureProvider(dictionary: buffers)
            let prepared = clock.now
            let outputs = try await model.prediction(from: features)
            let inferred = clock.now
            guard let values = outputs.featureValue(for: output)?.multiArrayValue, values.count == 1 else {
                throw Refusal("expected one number called \(output) from the model, came another output; export again")
            }
            let score = values[0].doubleValue
            return Run(
                score: score, bufferMs: (prepared - began).ms, inferenceMs: (inferred - prepared).ms,
                postMs: (clock.now - inferred).ms)
        }

        /// By `MLComputePlan` (iOS 17.4, macOS 14.4): what Core ML prefers for each operator of the compiled model.
        func placement() async -> [String: Int]? {
            guard #available(iOS 17.4, macOS 14.4, *) else { return nil }
            guard let plan = try? await MLComputePlan.load(contentsOf: compiled, configuration: configuration),
                case .program(let program) = plan.modelStructure
            else { return nil }
            var counts: [String: Int] = [:]
            var blocks = program.functions.values.map(\.block)
            while let block = blocks.popLast() {
                for operation in block.operations {
                    blocks += operation.blocks
                    // Constants run nowhere, and have no usage.
                    switch plan.deviceUsage(for: operation)?.preferred {
                    case .cpu: counts["cpu", default: 0] += 1
                    case .gpu: counts["gpu", default: 0] += 1
                    case .neuralEngine: counts["npu", default: 0] += 1
                    default: break
                    }
                }
            }
            return counts
        }
    }

    extension Duration {
        var ms: Double {
            Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
        }
    }
#endif
