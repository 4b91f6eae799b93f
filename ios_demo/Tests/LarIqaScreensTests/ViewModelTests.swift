import Foundation
import LarIqaKit
import Recorded
import Testing

@testable import LarIqaScreens

/// The view models, driven by scores that PyTorch gave to exactly these photos.
@Suite(
    "The screens' models", .serialized, .timeLimit(.minutes(1)),
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
@MainActor
struct ViewModelTests {
    @Test("From the start of the app to a score with its meaning")
    func score() async throws {
        let app = try makeApp()
        let following = Task { await app.follow() }
        defer { following.cancel() }
        let model = ScoreViewModel(app)
        #expect(model.phase == .empty && app.state == .notLoaded)
        await app.load()
        model.score(try photo("216x384 noisy"))
        #expect(model.phase == .scoring(photo: "216x384 noisy"))
        await model.finished()
        guard case .scored(let score, let meaning) = model.phase else {
            Issue.record("\(model.phase)")
            return
        }
        #expect(
            try score.score == Vectors.reference("216x384 noisy")
                && meaning.warnings.first?.hasPrefix("NOT TRAINED") == true)
        await settled(app, "Ready")
        #expect(await app.dependencies.journal?.entries().map(\.photo) == ["216x384 noisy"])
        #expect(app.artifact?.file == app.file && app.folder?.artifacts.count == 2)
    }

    @Test("A photo that cannot be decoded is a sentence, and the next one is scored")
    func refused() async throws {
        let app = try makeApp()
        await app.load()
        let model = ScoreViewModel(app)
        model.score(PickedPhoto(name: "empty.jpg", source: .file { Data() }))
        await model.finished()
        #expect(model.phase == .refused(sentence: PhotoRefusal.empty("empty.jpg").sentence))
        #expect(await app.dependencies.journal?.interruption() == nil)
        model.score(try photo("101x100 original"))
        await model.finished()
        guard case .scored = model.phase else {
            Issue.record("\(model.phase)")
            return
        }
    }

    @Test("A file for any size offers no resampling and needs none, whatever was chosen before")
    func anySize() async throws {
        let app = try makeApp()
        app.fits = false
        await app.load()
        #expect(!app.takesOneSize && app.artifact?.input == "views")
        let model = ScoreViewModel(app)
        for row in try Vectors.scores("views") where row.photo != Vectors.golden {
            model.score(try photo(row.photo))
            await model.finished()
            guard case .scored(let score, let meaning) = model.phase else {
                Issue.record("\(row.photo): \(model.phase)")
                continue
            }
            #expect(score.score == row.reference && !meaning.warnings.contains { $0.contains("resampled") })
        }
    }

    @Test("With a file for one size, a photo of another is resampled, or refused where that is switched off")
    func fit() async throws {
        let app = try makeApp()
        app.file = try Vectors.artifact("pixels").file
        await app.load()
        #expect(app.takesOneSize)
        let model = ScoreViewModel(app)
        app.fits = false
        let small = Data("P6\n60 40\n255\n".utf8) + Data(repeating: 9, count: 7200)
        model.score(PickedPhoto(name: "small", source: .file { small }))
        await model.finished()
        guard case .refused(let sentence) = model.phase else {
            Issue.record("\(model.phase)")
            return
        }
        #expect(sentence.hasPrefix("the photo is 60x40 px, this model file takes 200x150: "))
    }

    @Test("Another file of the export is loaded when it is chosen")
    func otherFile() async throws {
        let watch = Watch()
        let app = try makeApp { $0.watch = watch }
        await app.load()
        app.file = try Vectors.artifact("pixels").file
        await app.applyChoice()
        let runs = await watch.runs
        await app.applyChoice()
        #expect(await watch.runs == runs && app.iqa?.artifact.input == "pixels")
        let model = ScoreViewModel(app)
        model.score(try photo("noisy"))
        await model.finished()
        guard case .scored(let score, _) = model.phase else {
            Issue.record("\(model.phase)")
            return
        }
        #expect(try score.score == Vectors.reference("noisy", input: "pixels"))
    }

    @Test("The camera's refusal is a sentence")
    func camera() throws {
        let model = ScoreViewModel(try makeApp())
        model.refuse(PhotoRefusal.cameraRefused)
        #expect(model.phase == .refused(sentence: PhotoRefusal.cameraRefused.sentence))
    }

    @Test("Cancelling gives the photo up; a newer photo takes its place")
    func cancel() async throws {
        let gate = Gate()
        let app = try makeApp { $0.gate = gate }
        await gate.open()
        await app.load()
        await gate.close()
        let model = ScoreViewModel(app)
        let before = await gate.arrivedSoFar
        model.score(try photo("216x384 noisy"))
        try await gate.arrivals(before + 1)
        model.cancel()
        #expect(model.phase == .empty)
        model.score(try photo("101x100 original"))
        await gate.open()
        await model.finished()
        guard case .scored(let score, _) = model.phase else {
            Issue.record("\(model.phase)")
            return
        }
        #expect(score.photo == "101x100 original")
    }

    @Test("A burst: every photo scored, the best kept, the bad one named, the rest not lost")
    func burst() async throws {
        let app = try makeApp()
        await app.load()
        let model = BurstViewModel(app)
        let names = ["403x302 original", "384x216 blurred", "216x384 noisy", "128x72 recompressed", "101x100 original"]
        var photos = try names.map(photo)
        photos.insert(PickedPhoto(name: "broken", source: .file { Data("text".utf8) }), at: 2)
        model.score(photos)
        #expect(model.isScoring && model.verdict == nil)
        await model.finished()
        #expect(!model.isScoring && model.done == 6 && model.fraction == 1)
        let byScore = try names.sorted { try Vectors.reference($0) > Vectors.reference($1) }
        #expect(model.burst.places.map(\.score.photo) == byScore)
        #expect(model.verdict?.hasPrefix("Keep \(byScore[0])") == true)
        #expect(model.refused.map(\.photo) == ["broken"])
        #expect(await app.dependencies.journal?.entries().count == 5)
    }

    @Test("A burst that is cancelled keeps the scores that it has")
    func cancelBurst() async throws {
        let gate = Gate()
        let app = try makeApp { $0.gate = gate }
        await gate.open()
        await app.load()
        let model = BurstViewModel(app)
        let before = await gate.arrivedSoFar
        let slow = PickedPhoto(
            name: "slow",
            source: .file {
                await gate.close()
                return try Vectors.photoFile("216x384 noisy")
            })
        model.score([try photo("101x100 original"), slow, try photo("384x216 blurred")])
        try await gate.arrivals(before + 2)
        model.cancel()
        await model.finished()
        #expect(
            model.burst.places.map(\.score.photo) == ["101x100 original"] && model.done == 1 && model.verdict != nil)
    }

    @Test("No model: the state says what to do, and scoring says that none is ready")
    func noModel() async throws {
        let empty = try Vectors.temporaryFolder()
        let app = try makeApp(folder: empty)
        let following = Task { await app.follow() }
        defer { following.cancel() }
        await app.load()
        await settled(app, "Failed")
        #expect(app.state.sentence.contains("`make ios MODEL_DIR=FOLDER` copies it in") && app.artifact == nil)
        let model = ScoreViewModel(app)
        model.score(try photo("101x100 original"))
        await model.finished()
        let sentence = "101x100 original: expected a model to be ready, came none; load one first"
        #expect(model.phase == .refused(sentence: sentence))
        let benchmark = BenchmarkViewModel(app)
        benchmark.measure([])
        #expect(!benchmark.isRunning && benchmark.problem != nil)
    }

    @Test("Another choice of processors loads once more, the same choice does not")
    func units() async throws {
        let watch = Watch()
        let app = try makeApp { $0.watch = watch }
        await app.load()
        let runs = await watch.runs
        await app.applyChoice()
        #expect(await watch.runs == runs && app.iqa?.units == .cpu)
        app.units = .gpu
        await app.applyChoice()
        #expect(await watch.runs > runs && app.iqa?.units == .gpu)
    }

    @Test("The audition's table is there, its rows are kept for export, and it is held again on request")
    func audition() async throws {
        let app = try makeApp {
            $0.toldMs = [.cpu: 50, .gpu: 20, .npu: 10, .all: 30]
            $0.faults = [.npu: { _, score in score + 0.02 }]
        }
        #expect(app.iqa == nil && app.rowCount == 0)
        await app.load()
        let table = try #require(app.iqa?.audition)
        #expect(app.iqa?.units == .gpu && app.measuredUnits == .gpu && app.rowCount == 4)
        #expect(table.results.map(\.isAdmitted) == [true, true, false, true])
        await app.load()
        #expect(app.rowCount == 4)
        await app.auditionAgain()
        #expect(app.rowCount == 8 && app.iqa?.units == .gpu)
        app.units = .npu
        let following = Task { await app.follow() }
        defer { following.cancel() }
        await app.applyChoice()
        await settled(app, "Failed")
        #expect(app.state.sentence.hasPrefix("CPU and Neural Engine was refused for this file: off by 0.020 on "))
    }

    @Test("A burst is shown by groups that cannot be told apart")
    func burstGroups() async throws {
        let app = try makeApp()
        await app.load()
        let model = BurstViewModel(app)
        let names = ["403x302 original", "384x216 blurred"]
        model.score(try [names[0], names[1], names[0]].map(photo))
        await model.finished()
        let groups = model.groups.map { ($0.title, $0.places.map(\.score.photo)) }
        let best = try Vectors.reference(names[0]) > Vectors.reference(names[1])
        let pair = ("Cannot be told apart", [names[0], names[0]])
        let expected = best ? [pair, ("Place 3", [names[1]])] : [("Best", [names[1]]), pair]
        #expect(groups.map(\.0) == expected.map(\.0) && groups.map(\.1) == expected.map(\.1))
    }

    @Test("What the last start left unfinished is shown")
    func interruption() async throws {
        let app = try makeApp()
        try await app.dependencies.journal?.begin("IMG_1.heic")
        await app.lookBack()
        #expect(app.interruption?.contains("while it scored IMG_1.heic") == true)
    }

    @Test("A benchmark keeps its row, shares the file, and the model is there again afterwards")
    func benchmark() async throws {
        let app = try makeApp { $0.milliseconds = 2 }
        let following = Task { await app.follow() }
        defer { following.cancel() }
        await app.load()
        let model = BenchmarkViewModel(app)
        model.runs = 6
        model.measure([])
        #expect(model.isRunning && model.rowCount == 4)  // of the audition
        await model.finished()
        #expect(!model.isRunning && model.rowCount == 5 && model.rowsFile == app.dependencies.rows.url)
        #expect(model.inference?.count == 6 && model.inference?.p50 == 2)
        #expect(model.row?.flags.contains { $0.contains("start the app anew") } == true)
        await settled(app, "Ready")
        model.removeRows()
        #expect(model.rowsFile == nil)
    }

    @Test("A benchmark takes photos of one's own; one that cannot be read is a sentence, and nothing is measured")
    func ownPhotos() async throws {
        let app = try makeApp()
        await app.load()
        let model = BenchmarkViewModel(app)
        model.runs = 5
        model.measure([try photo("216x384 noisy"), try photo("101x100 original")])
        await model.finished()
        #expect(model.row?.scores.map(\.photo) == ["216x384 noisy", "101x100 original"] && model.rowCount == 5)
        let gone = PickedPhoto(name: "gone", source: .file { throw Refusal("gone: download it first") })
        model.measure([try photo("216x384 noisy"), gone])
        await model.finished()
        #expect(model.problem == "gone: download it first" && !model.isRunning && model.rowCount == 5)
    }

    @Test("A planned benchmark runs at the next start, in a process that has opened no model yet")
    func planned() async throws {
        let dependencies = try makeDependencies(RecordedRunner.Options())
        let earlier = try makeApp(dependencies: dependencies)
        earlier.units = .gpu
        let before = BenchmarkViewModel(earlier)
        before.runs = 3
        before.planForNextStart()
        #expect(before.isPlanned)

        let app = try makeApp(dependencies: dependencies)
        let model = BenchmarkViewModel(app)
        #expect(await model.measurePlanned())
        #expect(model.row?.latency?.inferenceMs.count == 3 && model.row?.setting.accelerator == "gpu")
        #expect(app.units == nil && app.iqa?.audition?.results.count == 4)  // then the fastest one again
        #expect(model.row?.flags.contains { $0.contains("start the app anew") } == false)
        #expect(await BenchmarkViewModel(app).measurePlanned() == false)
    }

    private func makeApp(
        folder: URL? = nil, dependencies: AppViewModel.Dependencies? = nil,
        _ change: (inout RecordedRunner.Options) -> Void = { _ in }
    ) throws -> AppViewModel {
        var options = RecordedRunner.Options()
        change(&options)
        let export = try folder ?? Vectors.tinyExport()
        return AppViewModel(
            folder: { try ExportFolder(export, named: "this app") },
            dependencies: try dependencies ?? makeDependencies(options))
    }

    private func makeDependencies(_ options: RecordedRunner.Options) throws -> AppViewModel.Dependencies {
        let kept = try Vectors.temporaryFolder()
        return AppViewModel.Dependencies(
            platform: Platform(
                opener: RecordedOpener(options), formats: ["coreml"], decoder: PpmDecoder(), probe: FakeDevice(),
                auditions: AuditionStore(folder: kept), app: "Swift tests"),
            journal: try Journal(folder: kept), rows: RowFile(folder: kept), pending: PendingBenchmark(folder: kept),
            isCompiled: { _ in false })
    }

    private func photo(_ name: String) throws -> PickedPhoto {
        let data = try Vectors.photoFile(name)
        return PickedPhoto(name: name, source: .file { data })
    }

    /// The state arrives by a stream of its own.
    private func settled(_ app: AppViewModel, _ title: String) async {
        for _ in 0..<2000 where app.state.title != title { try? await Task.sleep(nanoseconds: 1_000_000) }
        #expect(app.state.title == title)
    }
}
