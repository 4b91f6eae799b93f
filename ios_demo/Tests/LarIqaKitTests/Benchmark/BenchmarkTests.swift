import Foundation
import Recorded
import Testing

@testable import LarIqaKit

/// The rows go to `rows.jsonl` beside the vectors; `make_vectors.py --check` reads them with the Python side.
@Suite(
    "A benchmark gives rows", .serialized, .timeLimit(.minutes(1)),
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct BenchmarkTests {
    @Test("Counted runs, first run and load, with the golden photo's reference beside its score")
    func burst() async throws {
        var options = RecordedRunner.Options()
        options.milliseconds = 4
        options.placement = ["cpu": 3, "npu": 7]
        let row = try await measured(options, plan: .init(runs: 24), units: .npu)
        let latency = try #require(row.latency)
        #expect(row.error == nil && row.mode == .burst && latency.inferenceMs.count == 24)
        for list in [latency.decodeMs, latency.preprocessMs, latency.postMs, latency.cpuMs, latency.startedS] {
            #expect(list.count == 24)
        }
        #expect(latency.firstMs == 4 && latency.inferenceMs.allSatisfy { $0 == 4 } && (latency.loadMs ?? 0) > 0)
        #expect(latency.startedS == latency.startedS.sorted())
        let memory = try #require(row.memory)
        #expect(memory.peakMib > memory.baselineMib + 24 * 4)
        #expect(memory.curveSMib.count > 20 && memory.curveSMib.allSatisfy { $0.count == 2 })
        #expect(row.setting.fallback == "3 of 10 operators did not run on the Neural Engine")
        #expect(row.scores.count == 1 && row.scores.first?.score == row.scores.first?.reference)
        #expect(row.flags.contains { $0.contains("golden tile, not of a 2016x1512 photo file") })
        #expect(row.subject.input == "views" && row.subject.photoWidthPx == nil)
        #expect(memory.inputMib == 0.125)  // two views of 128x128 px, four bytes each
    }

    @Test("A file for one size is measured with the golden photo of that size")
    func oneSize() async throws {
        let row = try await measured(plan: .init(runs: 20), input: "pixels")
        #expect(row.error == nil && row.scores.first?.score == row.scores.first?.reference)
        #expect(row.flags.contains { $0.contains("golden tile, not of a 200x150 photo file") })
        let mib = 120_000 / Double(1 << 20)  // 200x150 px, four bytes each
        #expect(row.subject.photoWidthPx == 200 && row.memory?.inputMib == mib)
    }

    @Test("Sustained runs go on for as long as was asked")
    func sustained() async throws {
        var options = RecordedRunner.Options()
        options.milliseconds = 1
        let row = try await measured(options, plan: .init(runs: 1, sustainedSeconds: 3))
        #expect(row.mode == .sustained && (row.latency?.inferenceMs.count ?? 0) > 1)
        #expect((row.latency?.startedS.last ?? 0) > 0.4)
    }

    @Test("A model that does not open is a row with its reason")
    func failure() async throws {
        var options = RecordedRunner.Options()
        options.refusal = Refusal("out of memory")
        let row = try await measured(options, plan: .init(runs: 5))
        #expect(row.error == "out of memory" && row.latency == nil)
    }

    @Test("A cancelled benchmark keeps what was measured")
    func cancelled() async throws {
        var options = RecordedRunner.Options()
        let watch = Watch()
        options.watch = watch
        let task = Task { [options] in try await measured(options, plan: .init(runs: 100_000)) }
        while await watch.runs < 5 { try await Task.sleep(nanoseconds: 1_000_000) }
        task.cancel()
        let row = try await task.value
        #expect(row.error == nil && row.flags.contains { $0.hasPrefix("stopped by the user after ") })
        #expect((row.latency?.inferenceMs.count ?? 0) > 0)
    }

    @Test("Heat, Low Power Mode, the charger, few runs and a used process are flagged")
    func flags() async throws {
        let row = try await measured(
            plan: .init(runs: 2), device: FakeDevice(thermal: .serious, lowPower: true, charger: true), isFirst: false)
        for word in ["hot (serious)", "Low Power Mode", "charger", "only 2 counted runs", "start the app anew"] {
            #expect(row.flags.contains { $0.contains(word) }, "\(word)")
        }
        #expect(row.conditions.thermalStatus == "serious" && row.conditions.batteryPercent == [80, 80])
    }

    @Test(
        "Photos of one's own, of any sizes, are taken in turn and scored without a reference; their sizes are flagged")
    func ownPhotos() async throws {
        let names = ["216x384 noisy", "101x100 original", "403x302 blurred", "403x302 original"]
        let photos = try names.map { BenchmarkPhoto(name: $0, data: try Vectors.photoFile($0)) }
        let row = try await measured(plan: .init(runs: 6), photos: photos)
        #expect(row.scores.map(\.photo) == names && row.scores.allSatisfy { $0.reference == nil })
        #expect(try row.scores.map(\.score) == names.map { try Vectors.reference($0) })
        let sizes = "photos of 3 sizes (101x100, 216x384, 403x302): decode_ms and preprocess_ms go by the size"
        #expect(row.flags.contains(sizes))
        let alike = try await measured(plan: .init(runs: 6), photos: photos.suffix(2))
        #expect(!alike.flags.contains { $0.contains("sizes") })
    }

    @Test("preprocess_ms is what making and copying the views takes, apart from decoding")
    func preprocessing() async throws {
        let clock = PutForward()
        let latency = try #require(
            try await measured(
                plan: .init(runs: 5), device: FakeDevice(putForward: clock), decoder: SlowDecoder(clock: clock),
                write: false
            ).latency)
        let hour = SlowDecoder.seconds * 1000
        #expect(latency.decodeMs.allSatisfy { $0 >= hour && $0 < 2 * hour })
        // A millisecond of the fake runner's, and the views.
        #expect(latency.preprocessMs.allSatisfy { $0 > 1 && $0 < hour })
    }

    /// Takes an hour by the device's clock, and no time.
    struct SlowDecoder: PhotoDecoding {
        static let seconds = 3600.0
        let library = "slow"
        let clock: PutForward

        func photo(from data: Data, named name: String) throws -> Photo {
            clock.add(Self.seconds)
            return try PpmDecoder().photo(from: data, named: name)
        }
    }

    @Test("Rows are lines that only grow, also after a line that was cut off")
    func rowFile() async throws {
        let row = try await measured(plan: .init(runs: 1), write: false)
        let file = RowFile(folder: try Vectors.temporaryFolder())
        try file.append(row)
        let handle = try FileHandle(forWritingTo: file.url)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"schema\":".utf8))
        try handle.close()
        try file.append(row)
        let lines = try String(contentsOf: file.url, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == lines[2] && file.count() == 3)
        file.remove()
        #expect(file.count() == 0)
    }

    @Test("A planned benchmark is taken once")
    func pending() throws {
        let pending = PendingBenchmark(folder: try Vectors.temporaryFolder())
        #expect(pending.take() == nil)
        let planned = PendingBenchmark.Planned(plan: .init(runs: 7), file: nil, units: .gpu)
        try pending.save(planned)
        #expect(pending.take() == planned && pending.take() == nil)
    }

    private func measured(
        _ options: RecordedRunner.Options = .init(), plan: Benchmark.Plan, units: ComputeUnits = .cpu,
        device: FakeDevice = FakeDevice(), photos: [BenchmarkPhoto]? = nil, isFirst: Bool = true,
        input: String = "views", decoder: any PhotoDecoding = PpmDecoder(), write: Bool = true
    ) async throws -> MeasurementRow {
        let folder = try ExportFolder(Vectors.tinyExport(), named: "export")
        let artifact = try Vectors.artifact(input)
        let golden = try #require(BenchmarkPhoto.golden(of: artifact, in: folder))
        let benchmark = Benchmark(
            opener: RecordedOpener(options), decoder: decoder, probe: device, measuredBy: "Swift tests")
        let row = await benchmark.measure(
            artifact, in: folder, units: units, photos: photos ?? [golden], plan: plan, report: "one",
            firstInProcess: isFirst, loadIsCold: true
        ) { _ in }
        // Photos of one's own have no reference, and are not what Python's check expects.
        if write, photos == nil { try RowFile(folder: Vectors.place()).append(row) }
        return row
    }
}
