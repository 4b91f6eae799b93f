import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "A session loads, tests itself, and scores one photo at a time",
    .timeLimit(.minutes(1)),  // a state that never comes is a failure
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct ScoringSessionTests {
    @Test(
        "Photos of every size, down to 32 px and smaller than the crop, get the score that PyTorch gave them",
        arguments: [false, true])
    func mixedSizes(fit: Bool) async throws {
        let (session, artifact) = try ready()
        await session.load()
        #expect(artifact.input == "views" && artifact.photoSize == nil)
        let rows = try Vectors.scores("views").filter { $0.photo != Vectors.golden }
        #expect(Set(rows.map(\.size)).count == 9)
        #expect(rows.contains { $0.width > $0.height } && rows.contains { $0.width < $0.height })
        for row in rows {
            let score = try await session.score(recorded: row.photo, fit: fit)
            #expect(score.score == row.reference && score.tolerance == 1e-4, "\(row.photo)")
            #expect(score.size == row.size && !score.wasResampled)
            let views = try #require(score.views)
            #expect(views.authentic.map { Sha256.of(Data($0.rgb)) } == row.inputs["authentic"])
            #expect(views.synthetic?.size == PhotoSize(width: 128, height: 128))
        }
    }

    @Test("Every photo of a file for one size gets the score that PyTorch gave it; others are refused or resampled")
    func oneSize() async throws {
        let file = try Vectors.artifact("pixels").file
        let (session, _) = try ready()
        await session.load(file: file)
        for row in try Vectors.scores("pixels") {
            let name = row.photo.replacingOccurrences(of: ".png", with: "")
            let score = try await session.score(recorded: name)
            #expect(score.score == row.reference && !score.wasResampled && score.tolerance == 1e-4)
            #expect(score.views?.authentic?.size == PhotoSize(width: 128, height: 128))
        }
        await #expect(throws: Refusal.self) { try await session.score(recorded: "403x302 original") }
        // Resampled to the size, it is another picture than the recorded ones.
        await #expect(throws: Refusal("no score is recorded for these inputs of a photo of 403x302 px")) {
            try await session.score(recorded: "403x302 original", fit: true)
        }
    }

    @Test("The states, in order")
    func states() async throws {
        let (session, artifact) = try ready()
        await session.load()
        _ = try await session.score(recorded: "216x384 noisy")
        await session.unload()
        let states = await heard(session, until: .notLoaded, after: 5)
        let reference = try #require(artifact.parity?.photos.first { $0.photo == "golden.png" }).reference
        let figures = SelfTest.Figures(score: reference, reference: reference, tolerance: 1e-4, arithmetic: .float32)
        let passed = ScoringState.ready(.passed(figures))
        #expect(
            states == [
                .notLoaded, .preparing, .warmingUp, passed, .scoring(photo: "216x384 noisy"), passed, .notLoaded,
            ])
    }

    @Test("A model that scores the golden photo wrongly never gets to score another")
    func selfTestFails() async throws {
        var options = RecordedRunner.Options()
        options.error = 2e-4
        let (session, _) = try ready(options)
        await session.load(units: .cpu)
        let state = try #require(await heard(session, after: 4).last)
        guard case .failed(let reason) = state else {
            Issue.record("\(state)")
            return
        }
        #expect(reason.contains("within 0.0001 (computed in float32); its scores cannot be trusted"))
        await #expect(throws: Refusal("216x384 noisy: expected a model to be ready, came none; load one first")) {
            try await session.score(recorded: "216x384 noisy")
        }
    }

    @Test("The same error passes where float16 may have made it, and the tolerance that was applied is said")
    func coarserProcessor() async throws {
        var options = RecordedRunner.Options()
        options.error = 2e-4
        let (session, _) = try ready(options)
        await session.load(units: .npu)
        let state = try #require(await heard(session, after: 4).last)
        guard case .ready(.passed(let figures)) = state else {
            Issue.record("\(state)")
            return
        }
        #expect(figures.tolerance == 0.005)
        #expect(state.sentence.contains("allowed 0.005: computed in float16 where the processor does so"))
        let score = try await session.score(recorded: "216x384 noisy")
        #expect(score.tolerance == 0.005 && score.text.count == 4)
    }

    @Test(
        "Other tolerances in the manifest change the verdict",
        arguments: [
            (ComputeUnits.cpu, "\"float32\": 0.0001", "\"float32\": 0.0001", "Failed"),
            (.cpu, "\"float32\": 0.0001", "\"float32\": 0.001", "Ready"),
            (.npu, "\"float16\": 0.005", "\"float16\": 0.005", "Ready"),
            (.npu, "\"float16\": 0.005", "\"float16\": 0.0001", "Failed"),
        ])
    func tolerances(units: ComputeUnits, old: String, new: String, ends: String) async throws {
        var options = RecordedRunner.Options()
        options.error = 2e-4
        let (session, _) = try ready(options, export: Vectors.export(replacing: old, with: new))
        await session.load(units: units)
        #expect(await heard(session, after: 4).last?.title == ends)
    }

    @Test("Photos that come together are scored one after another, in order")
    func oneAtATime() async throws {
        var options = RecordedRunner.Options()
        let watch = Watch()
        options.watch = watch
        options.milliseconds = 5
        let (session, _) = try ready(options)
        await session.load()
        let names = ["403x302 original", "384x216 blurred", "216x384 noisy", "101x100 original"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask { _ = try await session.score(recorded: name) }
            }
            try await group.waitForAll()
        }
        #expect(await watch.most == 1)
        #expect(await watch.runs == names.count + 1)
    }

    @Test("A cancelled photo ends at once; the one that waited behind it is scored")
    func cancellation() async throws {
        var options = RecordedRunner.Options()
        let gate = Gate()
        options.gate = gate
        let (session, artifact) = try ready(options)
        await gate.open()
        await session.load()
        await gate.close()
        let first = Task { try await session.score(recorded: "216x384 noisy") }
        try await gate.arrivals(2)
        let second = Task { try await session.score(recorded: "101x100 original") }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        await gate.open()
        let expected = try #require(artifact.parity?.photos.first { $0.photo == "101x100 original" })
        #expect(try await second.value.score == expected.reference)
    }

    @Test("What cannot be decoded or is too small to judge is refused, and the next photo is scored")
    func refusals() async throws {
        let (session, _) = try ready()
        await session.load()
        await #expect(throws: PhotoRefusal.empty("empty.jpg")) {
            try await session.score(Data(), named: "empty.jpg", fit: true)
        }
        let low = Data("P6\n60 31\n255\n".utf8) + Data(repeating: 9, count: 5580)
        await #expect(throws: Refusal("the photo is 60x31 px; the model needs at least 32 px on each side")) {
            try await session.score(low, named: "low", fit: true)
        }
        _ = try await session.score(recorded: "216x384 noisy")
        let states = await heard(session, after: 10)
        #expect(states.last?.title == "Ready" && !states.contains { $0.title == "Failed" })
    }

    @Test("A model that does not open, a file that is not listed, a folder without a model: a state with a sentence")
    func failures() async throws {
        var options = RecordedRunner.Options()
        options.refusal = Refusal("the system could not open it")
        let (broken, _) = try ready(options)
        await broken.load()
        #expect(await heard(broken, after: 3).last == .failed(reason: "the system could not open it"))

        let (session, _) = try ready()
        await session.load(file: "other.mlpackage")
        let reason = await heard(session, after: 3).last?.sentence
        #expect(
            reason == "lariqa.json does not list other.mlpackage; it lists lariqa_views_crop_fp32.mlpackage, "
                + "lariqa_pixels_crop_200x150_fp32.mlpackage")

        let empty = try Vectors.temporaryFolder()
        let none = ScoringSession(
            folder: { try ExportFolder(empty, named: "this app") }, opener: RecordedOpener(), decoder: PpmDecoder())
        await none.load()
        #expect(await heard(none, after: 3).last?.sentence.hasPrefix("this app holds no lariqa.json") == true)
    }

    @Test("Of two loads at once the later one counts")
    func lastLoadWins() async throws {
        var options = RecordedRunner.Options()
        let gate = Gate()
        options.gate = gate
        let (session, _) = try ready(options)
        let first = Task { await session.load(units: .cpu) }
        try await gate.arrivals(1)
        let second = Task { await session.load(units: .all) }
        try await gate.arrivals(2)
        await gate.open()
        _ = await first.value
        _ = await second.value
        let score = try await session.score(recorded: "216x384 noisy")
        #expect(score.units == .all)
    }

    @Test("Another model waits for the photo in hand")
    func loadWaits() async throws {
        var options = RecordedRunner.Options()
        let (gate, watch) = (Gate(), Watch())
        (options.gate, options.watch) = (gate, watch)
        let (session, _) = try ready(options)
        await gate.open()
        await session.load()
        await gate.close()
        let photo = Task { try await session.score(recorded: "216x384 noisy") }
        try await gate.arrivals(2)
        let load = Task { await session.load(units: .gpu) }
        try await Task.sleep(nanoseconds: 50_000_000)
        #expect(await watch.runs == 2)  // the self-test of the new model has not begun
        await gate.open()
        #expect(try await photo.value.units == .cpu)
        _ = await load.value
        #expect(await watch.runs == 3)
        #expect(await watch.most == 1)
        #expect(try await session.score(recorded: "216x384 noisy").units == .gpu)
    }

    private func ready(
        _ options: RecordedRunner.Options = .init(), export: URL? = nil
    ) throws -> (ScoringSession, Artifact) {
        let export = try export ?? Vectors.tinyExport()
        let folder = try ExportFolder(export, named: "this app")
        let session = ScoringSession(
            folder: { try ExportFolder(export, named: "this app") }, opener: RecordedOpener(options),
            decoder: PpmDecoder())
        return (session, try #require(folder.artifacts.first))
    }

    /// The states so far: at least `count` of them, and up to one that is asked for.
    private func heard(
        _ session: ScoringSession, until last: ScoringState? = nil, after count: Int
    ) async -> [ScoringState] {
        var states: [ScoringState] = []
        for await state in session.states {
            states.append(state)
            if states.count >= count, last == nil || state == last { break }
        }
        return states
    }
}

extension ScoringSession {
    /// A photo of the vectors.
    fileprivate func score(recorded name: String, fit: Bool = false) async throws -> PhotoScore {
        try await score(Vectors.photoFile(name), named: name, fit: fit)
    }
}
