import Foundation

/// An open model, whatever runs it.
public protocol Runner: Sendable {
    /// Name and version, as shown to people.
    var runtime: String { get }

    /// Score one photo.
    ///
    /// - Parameter inputs: made for this model's file.
    ///
    /// Cancelling the task cancels the run where the runtime can.
    func run(_ inputs: ModelInputs) async throws -> Run

    /// What actually runs the model: processor -> number of operators. Nil: unknown.
    func placement() async -> [String: Int]?
}

/// One run and where its time went.
public struct Run: Sendable, Equatable {
    public let score: Double
    /// The inputs' pixels -> the runtime's own buffers.
    public let bufferMs: Double
    public let inferenceMs: Double
    /// Output -> score.
    public let postMs: Double

    public init(score: Double, bufferMs: Double, inferenceMs: Double, postMs: Double) {
        self.score = score
        self.bufferMs = bufferMs
        self.inferenceMs = inferenceMs
        self.postMs = postMs
    }
}

/// Opens one model file on the processors asked for. The first time a phone sees a file this may take minutes.
public protocol ModelOpening: Sendable {
    /// - Parameters:
    ///   - artifact: its row in the manifest.
    ///   - url: the file; its sha256 was compared with the row's.
    /// - Throws: `Refusal`, or what the runtime says.
    func open(_ artifact: Artifact, at url: URL, units: ComputeUnits) async throws -> any Runner
}
