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
    /// Which processors, as chosen; `applyChoice` loads the model for them.
    public var units = ComputeUnits.cpu
    /// Which of the export's files, as chosen; nil: the first.
    public var file: String?
    /// Resample photos of another size than the file's one instead of refusing them; the result says so.
    public var fits = true

    private struct Choice: Equatable {
        let file: String?
        let units: ComputeUnits
    }
    private var applied: Choice?

    let session: ScoringSession
    let dependencies: Dependencies
    private let openFolder: @Sendable () throws -> ExportFolder
    /// Whether a model was opened since the app started: only the first one's memory figures are its own.
    private(set) var hasOpenedModel = false

    /// Everything from outside, so that tests can bring their own.
    public struct Dependencies: Sendable {
        public let opener: any ModelOpening
        public let decoder: any PhotoDecoding
        public let probe: any DeviceProbe
        public let journal: Journal?
        public let rows: RowFile
        public let pending: PendingBenchmark
        public let isCompiled: @Sendable (Artifact) -> Bool
        public let version: String

        public init(
            opener: any ModelOpening, decoder: any PhotoDecoding, probe: any DeviceProbe, journal: Journal?,
            rows: RowFile, pending: PendingBenchmark, isCompiled: @escaping @Sendable (Artifact) -> Bool,
            version: String
        ) {
            self.opener = opener
            self.decoder = decoder
            self.probe = probe
            self.journal = journal
            self.rows = rows
            self.pending = pending
            self.isCompiled = isCompiled
            self.version = version
        }
    }

    public init(folder: @escaping @Sendable () throws -> ExportFolder, dependencies: Dependencies) {
        openFolder = folder
        self.dependencies = dependencies
        session = ScoringSession(folder: folder, opener: dependencies.opener, decoder: dependencies.decoder)
    }

    /// Follow the session's states for as long as the app is on the screen.
    public func follow() async {
        for await state in session.states { self.state = state }
    }

    /// Load the model that is chosen.
    public func load() async {
        readFolder()
        hasOpenedModel = true
        applied = Choice(file: file, units: units)
        await session.load(file: file, units: units)
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
        await session.unload()
        defer { hasOpenedModel = true }
        return !hasOpenedModel
    }

    /// The choice made for a benchmark before the app was restarted.
    func choose(file: String?, units: ComputeUnits) {
        (self.file, self.units) = (file, units)
        applied = Choice(file: file, units: units)
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
            let score = try await photo.score(with: session, fit: fits)
            try? await dependencies.journal?.finish(Journal.Entry(score))
            return score
        } catch {
            await dependencies.journal?.forget()
            throw error
        }
    }
}
