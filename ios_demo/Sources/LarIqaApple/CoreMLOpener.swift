#if canImport(CoreML)
    import CoreML
    import Foundation
    import LarIqaKit

    /// Compiles an .mlpackage once, keeps the result, and loads it for the processors asked for.
    ///
    /// `MLModel.compileModel(at:) async`: iOS 16, macOS 13. `MLModel.load(contentsOf:configuration:) async`: iOS 15, macOS 12.
    public struct CoreMLOpener: ModelOpening {
        public let compiled: CompiledModels

        public init(compiled: CompiledModels) {
            self.compiled = compiled
        }

        public func open(
            _ artifact: Artifact, at url: URL, units: ComputeUnits
        ) async throws -> any Runner {
            let configuration = MLModelConfiguration()
            configuration.computeUnits =
                switch units {
                case .cpu: .cpuOnly
                case .gpu: .cpuAndGPU
                case .npu: .cpuAndNeuralEngine  // iOS 16, macOS 13
                case .all: .all
                }
            configuration.allowLowPrecisionAccumulationOnGPU = false  // the default; scores depend on it
            let wasKept = compiled.holds(artifact)
            let place = try await compile(artifact, url)
            do {
                let model = try await MLModel.load(contentsOf: place, configuration: configuration)
                return try CoreMLRunner(model, at: place, configuration, artifact: artifact)
            } catch let error where wasKept && !(error is Refusal) && !(error is CancellationError) {
                compiled.remove(artifact)  // the kept one may be damaged: compile the proved file again
                let place = try await compile(artifact, url)
                let model = try await MLModel.load(contentsOf: place, configuration: configuration)
                return try CoreMLRunner(model, at: place, configuration, artifact: artifact)
            }
        }

        private func compile(_ artifact: Artifact, _ url: URL) async throws -> URL {
            try await compiled.url(for: artifact) { try await MLModel.compileModel(at: url) }
        }
    }
#endif
