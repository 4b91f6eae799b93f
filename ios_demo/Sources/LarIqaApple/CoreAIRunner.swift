#if canImport(CoreAI)
    import CoreAI
    import Foundation
    import LarIqaKit

    /// One Core AI function that takes pixels: a photo's views, or the photo itself, as bytes [1, height, width, 3]. Names,
    /// sizes and kinds are read from the function, and compared with the manifest.
    @available(iOS 27, macOS 27, *)
    struct CoreAIRunner: Runner {
        let runtime: String
        private let function: InferenceFunction
        private let output: String

        /// - Parameters:
        ///   - function: `main` of the opened model.
        ///   - artifact: its row in the manifest.
        /// - Throws: `Refusal`: the function is not the one that the manifest describes.
        init(_ function: InferenceFunction, artifact: Artifact) throws {
            let descriptor = function.descriptor
            let takes = descriptor.inputNames.reduce(into: [String: [Int]]()) { found, name in
                if case .ndArray(let array)? = descriptor.inputDescriptor(of: name), array.scalarType == .uint8 {
                    found[name] = array.shape
                } else {
                    found[name] = []
                }
            }
            let promised = Dictionary(
                artifact.inputs.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
            guard takes == promised else {
                throw Refusal(
                    "\(artifact.file) takes \(Self.inWords(takes)), lariqa.json says \(Self.inWords(promised)); "
                        + "export again")
            }
            guard descriptor.outputNames == [artifact.output] else {
                throw Refusal(
                    "\(artifact.file) gives \(descriptor.outputNames.sorted()), lariqa.json says \(artifact.output); "
                        + "export again")
            }
            self.function = function
            output = artifact.output
            runtime = "Core AI, \(ProcessInfo.processInfo.operatingSystemVersionString)"
        }

        /// `authentic 1x384x384x3, synthetic 1x1280x1280x3`.
        private static func inWords(_ inputs: [String: [Int]]) -> String {
            let described = inputs.map { name, shape in
                "\(name) \(shape.isEmpty ? "which is no array of bytes" : shape.map(String.init).joined(separator: "x"))"
            }
            return described.isEmpty ? "nothing" : described.sorted().joined(separator: ", ")
        }

        func run(_ inputs: ModelInputs) async throws -> Run {
            let clock = ContinuousClock()
            let began = clock.now
            let arrays = inputs.images.mapValues { NDArray(scalars: $0.rgb, shape: [1, $0.height, $0.width, 3]) }
            let prepared = clock.now
            var outputs = try await function.run(inputs: arrays)
            let inferred = clock.now
            guard let value = outputs.remove(output), let array = value.ndArray, array.shape.reduce(1, *) == 1 else {
                throw Refusal("expected one number called \(output) from the model, came another output; export again")
            }
            let score = array.rawView().withUnsafeBytes { bytes, _, _ in bytes.loadUnaligned(as: Float.self) }
            return Run(
                score: Double(score), bufferMs: (prepared - began).ms, inferenceMs: (inferred - prepared).ms,
                postMs: (clock.now - inferred).ms)
        }

        /// The system tells no app what ran where.
        func placement() async -> [String: Int]? { nil }
    }

    /// Opens an .aimodel for the processors asked for; the system keeps what it makes of it.
    @available(iOS 27, macOS 27, *)
    struct CoreAIOpener: ModelOpening {
        func open(_ artifact: Artifact, at url: URL, units: ComputeUnits) async throws -> any Runner {
            let options: SpecializationOptions =
                switch units {
                case .cpu: .cpuOnly
                case .gpu: SpecializationOptions(preferredComputeUnitKind: .gpu)
                case .npu: SpecializationOptions(preferredComputeUnitKind: .neuralEngine)
                case .all: .default
                }
            let model = try await AIModel(contentsOf: url, options: options)
            guard let function = try model.loadFunction(named: "main") else {
                throw Refusal("\(artifact.file) has no function called main; export again")
            }
            return try CoreAIRunner(function, artifact: artifact)
        }
    }
#endif
