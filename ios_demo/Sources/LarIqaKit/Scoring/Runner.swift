import Foundation

/// An open model that scores photos of its one size, whatever runs it.
public protocol Runner: Sendable {
    /// Name and version, as shown to people.
    var runtime: String { get }

    /// Score one photo that has the model's size.
    ///
    /// Cancelling the task cancels the run where the runtime can.
    func run(_ photo: Photo) async throws -> Run

    /// What actually runs the model: processor -> number of operators. Nil: unknown.
    func placement() async -> [String: Int]?
}

/// One run and where its time went.
public struct Run: Sendable, Equatable {
    public let score: Double
    /// Pixels -> the runtime's own buffer.
    public let preprocessMs: Double
    public let inferenceMs: Double
    /// Output -> score.
    public let postMs: Double

    public init(score: Double, preprocessMs: Double, inferenceMs: Double, postMs: Double) {
        self.score = score
        self.preprocessMs = preprocessMs
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
