import Foundation
import LarIqaKit
import Observation

/// What all screens share: the model that is loaded, and where things are kept.
@MainActor @Observable
public final class AppViewModel {
    public private(set) var state = ScoringState.notLoaded
    /// Nil until a model folder was read.
    public private(set) var folder: ExportFolder?
    /// What the last start of the app left unfinished, as a sentence.
    public private(set) var interruption: String?
    /// Which processors, as chosen; nil: the fastest that the audition admits. `applyChoice` loads the model for them.
    public var units: ComputeUnits?
    /// Which of the export's files, as chosen; nil: the first.
    public var file: String?
    /// Resample photos of another size than the file's one instead of refusing them; the result says so.
    public var fits = true

    private struct Choice: Equatable {
        let file: String?
        let units: ComputeUnits?
    }
    private var applied: Choice?
    private var planned: ComputeUnits?

    /// Benchmark rows that are kept, those of auditions among them.
    public private(set) var rowCount: Int
    /// The scoring path: nil while there is none.
    public private(set) var iqa: LarIqa?
    private var loading: Task<Void, Never>?
    private let states: AsyncStream<ScoringState>
    private let announce: AsyncStream<ScoringState>.Continuation
    let dependencies: Dependencies
    private let openFolder: @Sendable () throws -> ExportFolder
    /// Whether a model was opened since the app started: only the first one's memory figures are its own.
    private(set) var hasOpenedModel = false

    /// Everything from outside, so that tests can bring their own.
    public struct Dependencies: Sendable {
        public let platform: Platform
        public let journal: Journal?
        public let rows: RowFile
        public let pending: PendingBenchmark
        public let isCompiled: @Sendable (Artifact) -> Bool

        public init(
            platform: Platform, journal: Journal?, rows: RowFile, pending: PendingBenchmark,
            isCompiled: @escaping @Sendable (Artifact) -> Bool
        ) {
            self.platform = platform
            self.journal = journal
            self.rows = rows
            self.pending = pending
            self.isCompiled = isCompiled
        }
    }

    public init(folder: @escaping @Sendable () throws -> ExportFolder, dependencies: Dependencies) {
        openFolder = folder
        self.dependencies = dependencies
        rowCount = dependencies.rows.count()
        (states, announce) = AsyncStream.makeStream()
    }

    /// Follow the states for as long as the app is on the screen.
    public func follow() async {
        for await state in states { self.state = state }
    }

    /// Load the model that is chosen; of two loads at once the later one counts.
    public func load() async {
        readFolder()
        hasOpenedModel = true
        applied = Choice(file: file, units: units)
        planned = nil
        let before = loading
        before?.cancel()
        let task = Task {
            await before?.value
            await open()
        }
        loading = task
        await task.value
    }

    private func open() async {
        await iqa?.close()  // never two models in memory at once
        iqa = nil
        do {
            try Task.checkCancellation()
            let announce = announce
            let opened = try await LarIqa(openFolder(), file: file, units: units, on: dependencies.platform) {
                announce.yield($0)
            }
            iqa = opened
            for row in opened.rows { try? keep(row) }
        } catch is CancellationError {
            announce.yield(.notLoaded)
        } catch {
            announce.yield(.failed(reason: Refusal.sentence(for: error)))
        }
    }

    func keep(_ row: MeasurementRow) throws {
        defer { rowCount = dependencies.rows.count() }
        try dependencies.rows.append(row)
    }

    func removeRows() {
        dependencies.rows.remove()
        rowCount = dependencies.rows.count()
    }

    /// Hold the audition of the loaded file again.
    public func auditionAgain() async {
        if let key = iqa?.audition?.key { dependencies.platform.auditions.forget(key) }
        await load()
    }

    /// After a change of file or units: load, unless that is what is loaded or measured already.
    public func applyChoice() async {
        if applied != Choice(file: file, units: units) { await load() }
    }

    /// What the app holds, before anything is opened; the session says why there may be nothing.
    func readFolder() {
        folder = try? openFolder()
        file = file ?? folder?.artifacts.first?.file
    }

    /// Make room for a benchmark, which opens a model itself; returns whether that is the first since the app started.
    func makeWay() async -> Bool {
        loading?.cancel()
        await loading?.value
        await iqa?.close()
        iqa = nil
        announce.yield(.notLoaded)
        defer { hasOpenedModel = true }
        return !hasOpenedModel
    }

    /// The units that a benchmark measures: the planned ones, the chosen ones, or those that the audition chose.
    var measuredUnits: ComputeUnits { planned ?? units ?? iqa?.units ?? .cpu }

    /// The choice made for a benchmark before the app was restarted; the next load forgets its units.
    func choose(file: String?, measuring units: ComputeUnits) {
        self.file = file
        planned = units
        applied = Choice(file: file, units: self.units)
    }

    /// Once after each start.
    public func lookBack() async {
        interruption = await dependencies.journal?.interruption()
    }

    public var artifact: Artifact? {
        folder?.artifacts.first { file == nil || $0.file == file }
    }

    /// Whether photos of other sizes must be resampled or refused. Not with the views of a photo, which any photo has.
    public var takesOneSize: Bool { artifact?.photoSize != nil }

    func meaning(of score: PhotoScore) -> ScoreMeaning? {
        guard let folder, let artifact else { return nil }
        return ScoreMeaning(score, manifest: folder.manifest, artifact: artifact)
    }

    /// Score one photo and keep the score, whatever happens to the app afterwards.
    func score(_ photo: PickedPhoto) async throws -> PhotoScore {
        try? await dependencies.journal?.begin(photo.name)
        do {
            guard let iqa else {
                throw Refusal("\(photo.name): expected a model to be ready, came none; load one first")
            }
            let score = try await photo.score(with: iqa, fit: fits)
            try? await dependencies.journal?.finish(Journal.Entry(score))
            return score
        } catch {
            await dependencies.journal?.forget()
            throw error
        }
    }
}
