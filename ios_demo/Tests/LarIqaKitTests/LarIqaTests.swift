import Foundation
import Recorded
import Testing

@testable import LarIqaKit

/// The one-line entry, with recorded scores in Core ML's place.
@Suite(
    "One line from an export to scores", .serialized, .timeLimit(.minutes(2)),
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct LarIqaTests {
    @Test("Opening auditions the units, takes the fastest that is right, tests it, and scores photos as PyTorch does")
    func opens() async throws {
        let heard = Heard()
        var options = Self.phone
        options.faults = [.npu: { _, _ in 0 }]
        let iqa = try await opened(options) { heard.add($0) }
        #expect(iqa.units == .all && iqa.artifact.input == "views" && iqa.rows.count == 4)
        guard case .passed = iqa.selfTest else {
            Issue.record("\(iqa.selfTest.sentence)")
            return
        }
        for row in try Vectors.scores("views") where row.photo != Vectors.golden {
            let score = try await iqa.score(Vectors.photoFile(row.photo), named: row.photo)
            #expect(score.score == row.reference && score.units == .all && score.caveats.isEmpty)
            #expect(score.margin == iqa.margin && (score.margin ?? 0) > 0)
        }
        let states = await heard.until(.ready(iqa.selfTest))
        let tried = ComputeUnits.allCases.map { ScoringState.auditioning($0) }
        #expect(states.starts(with: [.preparing] + tried + [.warmingUp, .ready(iqa.selfTest)]))
        #expect(tried.allSatisfy { $0.isBusy && $0.title == "Audition" && $0.sentence.hasPrefix("Trying ") })
        await iqa.close()
        await #expect(throws: Refusal("Photo: expected a model to be ready, came none; load one first")) {
            try await iqa.score(try Vectors.photo("216x384 noisy"))
        }
    }

    @Test("A file is scored by its URL")
    func url() async throws {
        let iqa = try await opened(Self.phone)
        let photo = try Vectors.place().appendingPathComponent("photos/216x384 noisy.ppm")
        let score = try await iqa.score(photo)
        #expect(try score.score == Vectors.reference("216x384 noisy") && score.photo == "216x384 noisy.ppm")
        await #expect(throws: (any Error).self) { try await iqa.score(URL(fileURLWithPath: "/gone.jpg")) }
    }

    @Test("The next start takes the kept table; a unit that fails its golden check then is auditioned again")
    func nextStart() async throws {
        let store = AuditionStore(folder: try Vectors.temporaryFolder())
        #expect(try await opened(Self.phone, store).units == .npu)
        let second = try await opened(Self.phone, store)
        #expect(second.units == .npu && second.rows.isEmpty && second.audition?.results.count == 4)
        var broken = Self.phone
        broken.faults = [.npu: { _, score in score + 0.02 }]
        let third = try await opened(broken, store)
        #expect(third.units == .all && third.rows.count == 4)
        #expect(third.audition?.result(of: .npu)?.isAdmitted == false)
    }

    @Test("Units that are asked for are auditioned alone, and must be admitted")
    func asked() async throws {
        var options = Self.phone
        options.faults = [.npu: { _, score in score + 0.02 }]
        let iqa = try await opened(options, units: .gpu)
        #expect(iqa.units == .gpu && iqa.rows.count == 1)
        let reason = await reason { try await opened(options, units: .npu) }
        #expect(reason.hasPrefix("CPU and Neural Engine was refused for this file: off by 0.020 on "))
        #expect(reason.hasSuffix("; choose other processors"))
    }

    @Test("Where no unit is right, opening throws what became of each")
    func none() async throws {
        var options = Self.phone
        options.error = 0.03
        let reason = await reason { try await opened(options) }
        #expect(
            reason.hasPrefix("no processor of this phone computes this file right: CPU only: refused, off by 0.030"))
        let other = await self.reason { try await opened(Self.phone, file: "other.mlpackage") }
        #expect(other.hasPrefix("lariqa.json does not list other.mlpackage; it lists lariqa_views_crop_fp32.mlpackage"))
    }

    @Test("An export without a golden photo is scored on the CPU, and says that nothing was compared")
    func old() async throws {
        let export = try Vectors.export(replacing: "\"golden\":", with: "\"silver\":")
        var options = Self.phone
        options.faults = [.cpu: { _, _ in 0.5 }]
        options.scoresAnything = true
        let iqa = try await opened(options, export: export)
        #expect(iqa.units == .cpu && iqa.audition == nil && iqa.decoderCheck == nil && iqa.rows.isEmpty)
        #expect(iqa.selfTest.sentence.hasPrefix("Self-test not possible: this export names no golden photo"))
    }

    @Test("A decoder that is off stands in the rows, and beside the scores of lossy files alone")
    func decoder() async throws {
        let store = AuditionStore(folder: try Vectors.temporaryFolder())
        let iqa = try await opened(Self.phone, store, decoder: AnyJpeg(jpeg: "golden_jpg off"))
        let sentence = try #require(iqa.decoderCheck?.sentence)
        #expect(iqa.rows.allSatisfy { $0.decoder == iqa.decoderCheck?.figures && $0.decoder?.worstLevels == 12 })
        #expect(try await iqa.score(Vectors.photoFile("216x384 noisy"), named: "a.ppm").caveats.isEmpty)
        let jpeg = Data([0xff, 0xd8, 0xff, 0xe1] + [UInt8](repeating: 0, count: 20))
        let score = try await iqa.score(jpeg, named: "a.jpg")
        #expect(score.caveats == [sentence])
        let meaning = ScoreMeaning(score, manifest: iqa.folder.manifest, artifact: iqa.artifact)
        #expect(meaning.warnings.contains(sentence))
        // At the next start it is taken from the table.
        #expect(try await opened(Self.phone, store).decoderCheck == iqa.decoderCheck)
        // Of HEIC files the golden HEIC tells, which this decoder gets right.
        #expect(iqa.rows.allSatisfy { $0.decoderHeic?.worstLevels == 0 && $0.decoderHeic?.file == "golden.heic" })
        let heic = Data([0, 0, 0, 16] + Array("ftypheic".utf8) + [UInt8](repeating: 0, count: 20))
        #expect(try await iqa.score(heic, named: "a.heic").caveats.isEmpty)
        try RowFile(folder: Vectors.place()).append(try #require(iqa.rows.first))
    }

    @Test("On the CPU the margin is the file's own; on an accelerator what its audition saw may widen it")
    func margins() async throws {
        var options = Self.phone
        options.faults = [.npu: { _, score in score + 0.001 }]
        let iqa = try await opened(options)
        #expect(iqa.units == .npu && abs((iqa.margin ?? 0) - 0.002) < 1e-9)
        let parity = try #require(iqa.artifact.parity)
        #expect(try await opened(options, units: .cpu).margin == 2 * parity.worst)
    }

    private static var phone: RecordedRunner.Options {
        var options = RecordedRunner.Options()
        options.toldMs = [.cpu: 100, .gpu: 30, .npu: 10, .all: 20]
        return options
    }

    /// A JPEG that is not the golden one is a photo of the vectors.
    private struct AnyJpeg: PhotoDecoding {
        let library = "off"
        let jpeg: String

        func photo(from data: Data, named name: String) throws -> Photo {
            if name == "a.jpg" || name == "a.heic" { return try Vectors.photo("216x384 noisy") }
            return try PpmDecoder(jpeg: jpeg).photo(from: data, named: name)
        }
    }

    /// The states, in order.
    private final class Heard: @unchecked Sendable {
        private let lock = NSLock()
        private var states: [ScoringState] = []

        func add(_ state: ScoringState) { lock.withLock { states.append(state) } }

        func until(_ last: ScoringState) async -> [ScoringState] {
            while true {
                let states = lock.withLock { self.states }
                if states.contains(last) { return states }
                try? await Task.sleep(nanoseconds: 1_000_000)
            }
        }
    }

    private func reason<T>(_ call: () async throws -> T) async -> String {
        do {
            return "not refused: \(try await call())"
        } catch {
            return Refusal.sentence(for: error)
        }
    }

    private func opened(
        _ options: RecordedRunner.Options, _ store: AuditionStore? = nil, file: String? = nil,
        units: ComputeUnits? = nil, export: URL? = nil, decoder: any PhotoDecoding = PpmDecoder(),
        report: @escaping @Sendable (ScoringState) -> Void = { _ in }
    ) async throws -> LarIqa {
        let platform = Platform(
            opener: RecordedOpener(options), formats: ["coreml"], decoder: decoder, probe: FakeDevice(),
            auditions: try store ?? AuditionStore(folder: Vectors.temporaryFolder()), app: "Swift tests")
        let folder = try ExportFolder(export ?? Vectors.tinyExport(), named: "export")
        return try await LarIqa(folder, file: file, units: units, on: platform, report: report)
    }
}
