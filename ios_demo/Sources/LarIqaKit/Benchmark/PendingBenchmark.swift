import Foundation

/// A benchmark that waits for the next start of the app: the protocol requires a fresh process.
public struct PendingBenchmark: Sendable {
    public struct Planned: Codable, Sendable, Equatable {
        public let plan: Benchmark.Plan
        /// Nil: the first file of the export.
        public let file: String?
        public let units: ComputeUnits

        public init(plan: Benchmark.Plan, file: String?, units: ComputeUnits) {
            self.plan = plan
            self.file = file
            self.units = units
        }
    }

    private let url: URL

    /// - Parameter folder: made when needed.
    public init(folder: URL) {
        url = folder.appendingPathComponent("planned-benchmark.json")
    }

    public func save(_ planned: Planned) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONEncoder().encode(planned).write(to: url, options: .atomic)
    }

    /// The plan, once: a benchmark that crashes the app must not run again at every start.
    public func take() -> Planned? {
        guard let data = try? Data(contentsOf: url) else { return nil }
        try? FileManager.default.removeItem(at: url)
        return try? JSONDecoder().decode(Planned.self, from: data)
    }
}
