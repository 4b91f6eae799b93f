import Foundation

/// Loads one model, tests it, and scores one photo after another: two 4K photos at once would not fit a phone's memory.
///
///     notLoaded -> preparing -> warmingUp -> ready <-> scoring
///                      '------------'--> failed(reason)      load again, perhaps with other units
public actor ScoringSession {
    /// Every change of state, from `notLoaded` on. For one reader.
    public nonisolated let states: AsyncStream<ScoringState>

    private let folder: @Sendable () throws -> ExportFolder
    private let opener: any ModelOpening
    private let decoder: any PhotoDecoding
    private let announce: AsyncStream<ScoringState>.Continuation
    private var loaded: Loaded?
    private var attempt = 0
    private var last: Task<Scored, any Error>?
    private var waiting = 0

    private struct Loaded: Sendable {
        let runner: any Runner
        let artifact: Artifact
        let manifest: Manifest
        let units: ComputeUnits
        let selfTest: SelfTest

        /// Nil where the file was not proved.
        var tolerance: Double? {
            artifact.parity.map { _ in manifest.tolerances.of(artifact, on: units.arithmetic) }
        }
    }

    private struct Scored: Sendable {
        let run: Run
        let size: PhotoSize
        let scoredAt: PhotoSize
        let views: PhotoViews
    }

    public init(
        folder: @escaping @Sendable () throws -> ExportFolder, opener: any ModelOpening, decoder: any PhotoDecoding
    ) {
        self.folder = folder
        self.opener = opener
        self.decoder = decoder
        (states, announce) = AsyncStream.makeStream()
        announce.yield(.notLoaded)
    }

    /// Load a model file and compare its golden score with the reference; the end is `ready` or `failed`, never an exception.
    ///
    /// - Parameters:
    ///   - file: an artifact's name; nil: the first in the folder.
    ///   - units: the processors it may use.
    /// - Returns: why the model is not ready; nil where it is. `CancellationError` where another load took its place.
    @discardableResult
    public func load(file: String? = nil, units: ComputeUnits = .cpu) async -> (any Error)? {
        attempt += 1
        let mine = attempt
        loaded = nil
        announce.yield(.preparing)
        _ = await last?.result  // never two models and their photos in memory at once
        guard mine == attempt else { return CancellationError() }
        do {
            let folder = try folder()
            guard let artifact = folder.artifacts.first(where: { file == nil || $0.file == file }) else {
                let listed = folder.artifacts.map(\.file).joined(separator: ", ")
                throw Refusal("lariqa.json does not list \(file ?? "a Core ML file"); it lists \(listed)")
            }
            let runner = try await opener.open(artifact, at: try folder.verified(artifact), units: units)
            guard mine == attempt else { return CancellationError() }  // another load has begun; its states count
            announce.yield(.warmingUp)
            let selfTest = try await test(runner, artifact, folder, units)
            guard mine == attempt else { return CancellationError() }
            if case .failed = selfTest { throw Refusal(selfTest.sentence) }
            loaded = Loaded(
                runner: runner, artifact: artifact, manifest: folder.manifest, units: units,
                selfTest: selfTest)
            announce.yield(.ready(selfTest))
            return nil
        } catch is CancellationError {
            if mine == attempt { announce.yield(.notLoaded) }
            return CancellationError()
        } catch {
            if mine == attempt { announce.yield(.failed(reason: Refusal.sentence(for: error))) }
            return error
        }
    }

    /// The loaded model's self-test; nil where none is loaded.
    var selfTest: SelfTest? { loaded?.selfTest }

    deinit { announce.finish() }

    /// Release the model and its memory; photos in progress are finished first.
    public func unload() async {
        attempt += 1
        let mine = attempt
        loaded = nil
        _ = await last?.result
        if mine == attempt { announce.yield(.notLoaded) }
    }

    /// Decode one photo and score it; photos wait for each other in the order of the calls.
    ///
    /// - Parameters:
    ///   - data: the photo file.
    ///   - name: as shown to people.
    ///   - fit: resample a photo of another size instead of refusing it; no matter to a file that takes any.
    /// - Throws: `Refusal`: no model, no photo, or one that does not fit; `CancellationError`.
    public func score(_ data: Data, named name: String, fit: Bool) async throws -> PhotoScore {
        let decoder = decoder
        return try await score(named: name, fit: fit) { try decoder.photo(from: data, named: name) }
    }

    /// Score a photo whose pixels are there already (from the camera).
    public func score(_ photo: Photo, named name: String, fit: Bool) async throws -> PhotoScore {
        try await score(named: name, fit: fit) { photo }
    }

    private func score(
        named name: String, fit: Bool, decode: @escaping @Sendable () throws -> Photo
    ) async throws -> PhotoScore {
        guard let loaded else {
            throw Refusal("\(name): expected a model to be ready, came none; load one first")
        }
        let before = last
        let task = Task {
            _ = await before?.result
            try Task.checkCancellation()
            announce.yield(.scoring(photo: name))
            return try await Self.trip(decode, loaded, fit: fit)
        }
        last = task
        waiting += 1
        defer {
            waiting -= 1
            if waiting == 0, let loaded = self.loaded { announce.yield(.ready(loaded.selfTest)) }
        }
        let scored = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        let score = scored.run.score
        guard score.isFinite else {
            throw Refusal("\(name): expected a score, came \(score); choose CPU only, or export the model again")
        }
        return PhotoScore(
            photo: name, score: score, size: scored.size, scoredAt: scored.scoredAt, run: scored.run,
            runtime: loaded.runner.runtime, units: loaded.units,
            arithmetic: loaded.artifact.arithmetic(on: loaded.units.arithmetic), tolerance: loaded.tolerance,
            views: scored.views)
    }

    /// The golden photo's score; where the export names none, a grey photo warms the model up.
    private func test(
        _ runner: any Runner, _ artifact: Artifact, _ folder: ExportFolder, _ units: ComputeUnits
    ) async throws -> SelfTest {
        switch try folder.expectation(of: artifact, decoder: decoder) {
        case .success(let expected):
            let inputs = try ModelInputs(of: expected.photo, for: artifact, folder.manifest.preprocess, fit: false)
            return expected.judge(
                try await runner.run(inputs).score,
                tolerance: folder.manifest.tolerances.of(artifact, on: units.arithmetic),
                artifact.arithmetic(on: units.arithmetic))
        case .failure(let reason):
            let size = artifact.photoSize ?? PhotoSize(width: 1280, height: 1280)
            let grey = Photo(madeAs: size, rgb: [UInt8](repeating: 128, count: size.pixels * 3))
            _ = try await runner.run(ModelInputs(of: grey, for: artifact, folder.manifest.preprocess, fit: false))
            return .notPossible(reason: reason.sentence)
        }
    }

    /// Decode, make the inputs, run. Outside the actor, which answers meanwhile.
    private nonisolated static func trip(
        _ decode: @Sendable () throws -> Photo, _ loaded: Loaded, fit: Bool
    ) async throws -> Scored {
        // Not kept in a variable: what a large file was decoded to is gone while the model runs on its views.
        let inputs = try ModelInputs(of: try decode(), for: loaded.artifact, loaded.manifest.preprocess, fit: fit)
        try Task.checkCancellation()
        let run = try await loaded.runner.run(inputs)
        try Task.checkCancellation()
        return Scored(
            run: run, size: inputs.size, scoredAt: inputs.scoredAt,
            views: PhotoViews(of: inputs, loaded.artifact, loaded.manifest.preprocess))
    }
}
