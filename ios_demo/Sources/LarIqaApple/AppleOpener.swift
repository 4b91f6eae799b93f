#if canImport(CoreML)
    import Foundation
    import LarIqaKit

    /// Opens a file with the framework that it is made for.
    public struct AppleOpener: ModelOpening {
        private let coreML: CoreMLOpener

        public init(compiled: CompiledModels) {
            coreML = CoreMLOpener(compiled: compiled)
        }

        /// The formats that this system runs, the newest framework's first.
        public static var formats: [String] {
            #if canImport(CoreAI)
                if #available(iOS 27, macOS 27, *) { return ["coreai", "coreml"] }
            #endif
            return ["coreml"]
        }

        public func open(_ artifact: Artifact, at url: URL, units: ComputeUnits) async throws -> any Runner {
            if artifact.format == "coreml" { return try await coreML.open(artifact, at: url, units: units) }
            #if canImport(CoreAI)
                if #available(iOS 27, macOS 27, *), artifact.format == "coreai" {
                    return try await CoreAIOpener().open(artifact, at: url, units: units)
                }
            #endif
            throw Refusal(
                "\(artifact.file) needs Core AI, which this system does not have; export with --format coreml")
        }
    }
#endif
