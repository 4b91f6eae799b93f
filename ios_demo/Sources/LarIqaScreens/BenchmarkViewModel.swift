import Foundation
import LarIqaKit
import Observation

/// The benchmark screen: what to measure, the progress, the rows to share.
@MainActor @Observable
public final class BenchmarkViewModel {
    public var runs = 30
    public var isSustained = false
    public private(set) var progress: Benchmark.Progress?
    public private(set) var row: MeasurementRow?
    /// Why a row could not be kept.
    public private(set) var problem: String?
    /// Whether the next start of the app begins with a benchmark.
    public private(set) var isPlanned = false
    private let app: AppViewModel
    private var task: Task<Void, Never>?

    /// Long enough for a phone to become warm and slow down.
    public static let sustainedSeconds: Double = 600

    public init(_ app: AppViewModel) {
        self.app = app
    }

    public var rowCount: Int { app.rowCount }

    public var isRunning: Bool { progress != nil }

    public var rowsFile: URL? { rowCount > 0 ? app.dependencies.rows.url : nil }

    public var inference: Statistics? { Statistics(row?.latency?.inferenceMs ?? []) }

    private var plan: Benchmark.Plan {
        Benchmark.Plan(runs: runs, sustainedSeconds: isSustained ? Self.sustainedSeconds : 0)
    }

    /// Measure in a fresh process, as the protocol asks: when the app is started the next time, before anything else.
    public func planForNextStart() {
        do {
            try app.dependencies.pending.save(.init(plan: plan, file: app.artifact?.file, units: app.measuredUnits))
            isPlanned = true
        } catch {
            problem = "the plan could not be kept: \(Refusal.sentence(for: error)); free some space and try again"
        }
    }

    /// At the start of the app; returns whether a benchmark was planned, which then has run and loaded the model.
    public func measurePlanned() async -> Bool {
        guard let planned = app.dependencies.pending.take() else { return false }
        app.choose(file: planned.file, measuring: planned.units)
        app.readFolder()
        (runs, isSustained) = (planned.plan.runs, planned.plan.mode == .sustained)
        measure([])
        await finished()
        return row != nil
    }

    /// Measure the loaded model on these photos or, where there are none, on the golden one.
    public func measure(_ photos: [PickedPhoto]) {
        guard !isRunning, let folder = app.folder, let artifact = app.artifact else {
            problem = "expected a model to be ready, came none; load one first"
            return
        }
        (row, problem) = (nil, nil)
        progress = Benchmark.Progress(step: "Preparing", done: 0, fraction: nil)
        task = Task { await measure(artifact, folder, photos) }
    }

    public func cancel() { task?.cancel() }

    public func removeRows() { app.removeRows() }

    /// Waits until the row is there; for tests.
    func finished() async { await task?.value }

    private func measure(_ artifact: Artifact, _ folder: ExportFolder, _ photos: [PickedPhoto]) async {
        let (units, iqa) = (app.measuredUnits, app.iqa)
        let decoders = (iqa?.decoderCheck?.figures, iqa?.heicDecoderCheck?.figures)
        let isFirst = await app.makeWay()  // an app would not hold two models at once
        var files: [BenchmarkPhoto] = []
        do {
            for photo in photos {
                if case .file(let load) = photo.source { files.append(.init(name: photo.name, data: try await load())) }
            }
        } catch {
            (problem, progress) = (Refusal.sentence(for: error), nil)
            return await app.load()
        }
        if files.isEmpty, let golden = BenchmarkPhoto.golden(of: artifact, in: folder) { files = [golden] }
        let dependencies = app.dependencies
        let benchmark = Benchmark(
            opener: dependencies.platform.opener, decoder: dependencies.platform.decoder,
            probe: dependencies.platform.probe, measuredBy: dependencies.platform.app)
        let (steps, step) = AsyncStream<Benchmark.Progress>.makeStream()
        let showing = Task {
            for await progress in steps { self.progress = progress }
        }
        var row = await benchmark.measure(
            artifact, in: folder, units: units, photos: files, plan: plan, report: UUID().uuidString.lowercased(),
            firstInProcess: isFirst, loadIsCold: !dependencies.isCompiled(artifact)
        ) { step.yield($0) }
        (row.decoder, row.decoderHeic) = decoders
        step.finish()
        await showing.value
        do {
            try app.keep(row)
        } catch {
            problem = "the row could not be kept: \(Refusal.sentence(for: error)); free some space and measure again"
        }
        self.row = row
        progress = nil
        await app.load()
    }
}
