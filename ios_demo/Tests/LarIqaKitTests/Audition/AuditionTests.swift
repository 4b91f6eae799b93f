import Foundation
import Recorded
import Testing

@testable import LarIqaKit

/// Units that are wrong in the ways that phones were seen to be wrong. The CPU computes in float32, the others in float16.
@Suite(
    "No unit is trusted by its name", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct AuditionTests {
    static let ms: [ComputeUnits: Double] = [.cpu: 100, .gpu: 30, .npu: 10, .all: 20]

    @Test("Where all are right, the fastest is used, and each has a row")
    func right() async throws {
        let (table, rows) = try await held()
        #expect(table.results.map(\.units) == ComputeUnits.allCases && table.results.allSatisfy(\.isAdmitted))
        #expect(table.fastest?.units == .npu && table.fastest?.medianMs == 10 && table.fastest?.worst == 0)
        #expect(table.results.map(\.tolerance) == [1e-4, 5e-3, 5e-3, 5e-3])
        for (row, result) in zip(rows, table.results) {
            #expect(row == result.row && row.error == nil && row.flags.first == Audition.flag && row.mode == .burst)
            #expect(row.setting.accelerator == result.units.rawValue && row.report == rows[0].report)
            #expect(row.scores.map(\.photo).count == 7 && row.scores.allSatisfy { $0.score == $0.reference })
            #expect((row.latency?.inferenceMs.count ?? 0) >= 3 && (row.memory?.peakMib ?? 0) > 0)
        }
        #expect(Set(rows.map(\.id)).count == 4)
        if let place = try? Vectors.place() {
            for row in rows { try RowFile(folder: place).append(row) }
        }
    }

    @Test("A constant offset")
    func offset() async throws {
        let result = try await npu { _, score in score + 0.02 }
        #expect(result.refusal?.hasPrefix("off by 0.020 on ") == true)
        #expect(
            result.refusal?.hasSuffix("allowed is 0.0050; 7 of 7 pictures are wrong, all by the same +0.020") == true)
        #expect(abs((result.worst ?? 0) - 0.02) < 1e-9)
        // Its figures are shown beside the reason.
        #expect(result.figures.hasPrefix("10 ms (first run 10 ms), off by at most 0.020, peak "))
        let down = try await npu { _, score in score - 0.02 }
        #expect(down.refusal?.hasSuffix("all by the same -0.020") == true)
    }

    @Test("One channel off: it shows where that channel is strong, and nowhere else by as much")
    func channel() async throws {
        let result = try await npu { inputs, score in
            let blue = inputs.images["synthetic"].map(Self.meanBlue) ?? 0
            return score + max(0, blue - 150) / 255 * 0.2
        }
        let reason = try #require(result.refusal)
        #expect(reason.contains(" on washed, allowed is 0.0050; "), "\(reason)")
        #expect(!reason.contains("7 of 7") && !reason.contains("all by the same"), "\(reason)")
    }

    @Test("Right on the golden photo, wrong on large flat areas alone")
    func flat() async throws {
        let flat = try #require(try Vectors.audition().judged.first { $0.photo == "flat" })
        let result = try await npu { _, score in score == flat.reference ? score + 0.006 : score }
        #expect(result.refusal == "off by 0.0060 on flat, allowed is 0.0050; 1 of 7 pictures are wrong")
    }

    @Test("Silent zeros, and any other constant")
    func zeros() async throws {
        for constant in [0, 0.58] {
            let result = try await npu { _, _ in constant }
            let reason = try #require(result.refusal)
            #expect(reason.hasPrefix("its scores of 7 pictures lie within 0, PyTorch's within 0."), "\(reason)")
            #expect(reason.hasSuffix("it does not see the pictures"))
        }
    }

    @Test("An overflow of float16", arguments: [Double.infinity, -.infinity, .nan])
    func overflow(value: Double) async throws {
        let washed = try #require(try Vectors.audition().judged.first { $0.photo == "washed" })
        let result = try await npu { _, score in score == washed.reference ? value : score }
        #expect(result.refusal == "its score of washed is \(value): not a finite number" && result.worst == nil)
        #expect(!result.row.scores.contains { $0.photo == "washed" } && result.row.scores.count == 6)
        _ = try result.row.line()  // a row holds no NaN and no infinity
    }

    @Test("A slow first run is no fault: it is told apart")
    func slowStart() async throws {
        var options = RecordedRunner.Options()
        options.toldMs = Self.ms
        options.toldFirstMs = [.npu: 42_000]
        let (table, _) = try await held(options)
        let result = try #require(table.fastest)
        #expect(result.units == .npu && result.isAdmitted && result.firstMs == 42_000 && result.medianMs == 10)
        #expect(result.row.latency?.inferenceMs.allSatisfy { $0 == 10 } == true)
        #expect(result.sentence.contains("admitted, 10 ms (first run 42000 ms), off by at most 0"))
    }

    @Test("One that does not open the model, and one that is ended while it is tried twice")
    func closed() async throws {
        var options = RecordedRunner.Options()
        options.toldMs = Self.ms
        options.closed = [.npu: Refusal("E5 error 3")]
        let store = AuditionStore(folder: try Vectors.temporaryFolder())
        let key = try audition(options, store).key
        _ = store.begin(.gpu, key)
        _ = store.begin(.gpu, key)
        _ = store.begin(.cpu, key)
        _ = store.begin(.cpu, key)
        let (table, rows) = try await held(options, store)
        #expect(table.result(of: .npu)?.refusal == "it does not run this file: E5 error 3")
        #expect(table.result(of: .gpu)?.refusal == "the app was ended 2 times while this unit was tried")
        #expect(table.result(of: .cpu)?.isAdmitted == true && table.fastest?.units == .all)
        #expect(rows.filter { $0.error != nil }.count == 2)
        store.forget(key)  // held again, it gets another chance
        #expect(try await held(options, store).table.result(of: .gpu)?.isAdmitted == true)
    }

    @Test(
        "Of two that take about as long, the one that computes in float32 is used",
        arguments: [(104.9, true), (106, false)])
    func tie(cpu: Double, isUsed: Bool) async throws {
        var options = RecordedRunner.Options()
        options.toldMs = [.cpu: cpu, .gpu: 100, .npu: 130, .all: 101]
        #expect(try await held(options).table.fastest?.units == (isUsed ? .cpu : .gpu))
    }

    @Test("Golden photo alone: a constant passes there, an offset does not, and the row says by what it was judged")
    func goldenAlone() async throws {
        var options = RecordedRunner.Options()
        options.toldMs = Self.ms
        options.faults = [.npu: { _, score in score + 0.02 }]
        let export = try Vectors.export(replacing: "\"audition\":", with: "\"trial\":")
        let (table, rows) = try await held(options, export: export)
        #expect(table.result(of: .npu)?.refusal?.hasSuffix("; 1 of 1 pictures are wrong") == true)
        #expect(table.fastest?.units == .all && table.notes.count == 1)
        #expect(rows.allSatisfy { $0.flags.contains(table.notes[0]) && $0.scores.count == 1 })
        #expect(table.fastest?.row.latency?.inferenceMs.count == 3)
    }

    @Test("The table is kept, and is worth nothing after an update of app, system or export, or with another file")
    func kept() async throws {
        let store = AuditionStore(folder: try Vectors.temporaryFolder())
        let (table, rows) = try await held(.init(), store)
        #expect(rows.count == 4)
        let again = try await held(.init(), store)
        #expect(again.table == table && again.fresh.isEmpty)
        #expect(try await held(.init(), store, app: "App 2").fresh.count == 4)
        #expect(try await held(.init(), store, app: "App 2", system: "iOS 99").fresh.count == 4)
        let proved = try Vectors.export(replacing: "\"float16\": 0.005", with: "\"float16\": 0.006")
        #expect(try await held(.init(), store, export: proved).fresh.count == 4)
        let other = AuditionKey(app: "a", system: "b", model: "c", sha256: table.key.sha256, references: "d")
        #expect(store.table(other) == nil)
    }

    @Test("Units that were not asked for before are tried when they are; the others' results stay")
    func some() async throws {
        let store = AuditionStore(folder: try Vectors.temporaryFolder())
        let (one, first) = try await held(.init(), store, units: [.cpu])
        #expect(one.results.map(\.units) == [.cpu] && first.count == 1)
        let (all, rest) = try await held(.init(), store)
        #expect(all.results.map(\.units) == [.cpu, .gpu, .npu, .all] && rest.count == 3)
    }

    @Test("A cancelled audition is no unit's fault")
    func cancelled() async throws {
        var options = RecordedRunner.Options()
        let gate = Gate()
        options.gate = gate
        let store = AuditionStore(folder: try Vectors.temporaryFolder())
        for count in 1...3 {
            let task = Task { [options] in try await held(options, store) }
            try await gate.arrivals(count)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
        await gate.open()
        #expect(try await held(options, store).table.results.allSatisfy(\.isAdmitted))
    }

    private static func meanBlue(_ photo: Photo) -> Double {
        var sum = 0
        for at in stride(from: 2, to: photo.rgb.count, by: 3) { sum += Int(photo.rgb[at]) }
        return Double(sum) / Double(photo.size.pixels)
    }

    /// The Neural Engine with a fault; the other units are right, and are used instead.
    private func npu(_ fault: @escaping RecordedRunner.Fault) async throws -> AuditionResult {
        var options = RecordedRunner.Options()
        options.toldMs = Self.ms
        options.faults = [.npu: fault]
        let (table, _) = try await held(options)
        #expect(table.fastest?.units == .all && table.results.filter(\.isAdmitted).count == 3)
        let result = try #require(table.result(of: .npu))
        #expect(!result.isAdmitted && result.sentence.hasPrefix("CPU and Neural Engine: refused, "))
        return result
    }

    private func held(
        _ options: RecordedRunner.Options? = nil, _ store: AuditionStore? = nil, export: URL? = nil,
        app: String = "App 1", system: String = "iOS 0", units: [ComputeUnits] = ComputeUnits.allCases
    ) async throws -> (table: AuditionTable, fresh: [MeasurementRow]) {
        var usual = RecordedRunner.Options()
        usual.toldMs = Self.ms
        let options = options ?? usual
        let store = try store ?? AuditionStore(folder: Vectors.temporaryFolder())
        let (held, folder, artifact, platform) = try prepared(options, store, export, app, system)
        let url = try folder.verified(artifact)
        return try await held.hold(
            units.map { PhoneUnit(units: $0, artifact: artifact, url: url, opener: platform.opener) }
        ) { _ in }
    }

    private func audition(_ options: RecordedRunner.Options, _ store: AuditionStore) throws -> Audition {
        try prepared(options, store, nil, "App 1", "iOS 0").0
    }

    private func prepared(
        _ options: RecordedRunner.Options, _ store: AuditionStore, _ export: URL?, _ app: String, _ system: String
    ) throws -> (Audition, ExportFolder, Artifact, Platform) {
        let folder = try ExportFolder(export ?? Vectors.tinyExport(), named: "export")
        let artifact = try #require(folder.artifacts.first)
        let platform = Platform(
            opener: RecordedOpener(options), formats: ["coreml"], decoder: PpmDecoder(),
            probe: FakeDevice(system: system), auditions: store, app: app)
        let set = try AuditionSet.of(artifact, in: folder, decoder: platform.decoder).get()
        return (Audition(of: artifact, in: folder, with: set, on: platform), folder, artifact, platform)
    }
}
