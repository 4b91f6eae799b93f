import Foundation
import LarIqaApple
import LarIqaKit
import Recorded
import Testing

#if os(Linux)
    private let hasCoreML = false
#else
    private let hasCoreML = true
#endif

/// On a Mac or a phone: the real Core ML, the real ImageIO, a real export. Never run where this project is built.
///
///     LARIQA_EXPORT=/path/to/an/export swift test --filter RealModelTests    (at the root of the repository)
@Suite(
    "The real model on Apple's runtime", .serialized,
    .enabled(if: hasCoreML && Vectors.export != nil, "needs macOS and LARIQA_EXPORT"))
struct RealModelTests {
    @Test("The golden photo scores as PyTorch says, on every choice of processors", arguments: ComputeUnits.allCases)
    func golden(units: ComputeUnits) async throws {
        let export = try #require(Vectors.export)
        let caches = try Vectors.temporaryFolder()
        let opener = CoreMLOpener(compiled: CompiledModels(folder: caches, system: "test"))
        let session = ScoringSession(
            folder: { try ExportFolder(export, named: "export") }, opener: opener,
            decoder: ImageIODecoder())
        await session.load(units: units)
        for await state in session.states {
            if case .ready(.passed(let figures)) = state {
                #expect(figures.difference <= figures.tolerance)
                return
            }
            if case .failed(let reason) = state {
                Issue.record("\(units.title): \(reason)")
                return
            }
        }
    }

    @Test("A file for any size scores photos of odd, extreme and large sizes")
    func anySize() async throws {
        let export = try #require(Vectors.export)
        let opener = CoreMLOpener(compiled: CompiledModels(folder: try Vectors.temporaryFolder(), system: "test"))
        let session = ScoringSession(
            folder: { try ExportFolder(export, named: "export") }, opener: opener, decoder: ImageIODecoder())
        await session.load()
        let tile = try Data(contentsOf: export.appendingPathComponent("golden.png"))
        let photo = try ImageIODecoder().photo(from: tile, named: "golden.png")
        for (width, height) in [(32, 5000), (5000, 32), (1013, 997), (3024, 4032), (8064, 6048)] {
            let golden = GoldenPhoto.make(from: photo, size: PhotoSize(width: width, height: height))
            let score = try await session.score(golden, named: "\(width)x\(height)", fit: false)
            #expect(score.score.isFinite && !score.wasResampled)
        }
    }

    @Test("ImageIO decodes the golden tile to the pixels whose score is recorded, and says what it cannot decode")
    func decoder() throws {
        let tile = try Data(contentsOf: try #require(Vectors.export).appendingPathComponent("golden.png"))
        let photo = try ImageIODecoder().photo(from: tile, named: "golden.png")
        #expect(photo.width > 100 && Set(photo.rgb).count > 50)
        #expect(
            refusal { try ImageIODecoder().photo(from: tile.prefix(tile.count / 2), named: "half.png") }.contains(
                "damaged"))
        #expect(
            refusal { try ImageIODecoder().photo(from: Data("text".utf8), named: "a.txt") }.contains("another kind"))
    }

    @Test("The audition of this device: what became of each unit, and what ImageIO makes of the golden files")
    func audition() async throws {
        let export = try #require(Vectors.export)
        let caches = try Vectors.temporaryFolder()
        let platform = Platform(
            opener: AppleOpener(compiled: CompiledModels(folder: caches, system: "test")),
            formats: AppleOpener.formats, decoder: ImageIODecoder(), probe: LiveDevice(),
            auditions: AuditionStore(folder: caches), app: "RealModelTests")
        let folder = try ExportFolder(export, named: "export", formats: AppleOpener.formats)
        let iqa = try await LarIqa(folder, on: platform)
        let table = try #require(iqa.audition)
        #expect(table.results.count == ComputeUnits.allCases.count && table.result(of: .cpu)?.isAdmitted == true)
        for result in table.results { print(result.sentence) }
        print(iqa.decoderCheck?.summary ?? "the export has no golden JPEG")
        print(iqa.heicDecoderCheck?.summary ?? "the export has no golden HEIC")
        let rows = RowFile(folder: caches)
        for row in iqa.rows { try rows.append(row) }
        print("rows: \(rows.url.path)")
    }

    @Test("Memory, processor time and placement are told")
    func device() async throws {
        #expect((DeviceMemory.footprintMib() ?? 0) > 1)
        #expect((LiveDevice().cpuMs() ?? 0) > 0)
    }
}

/// What can be seen without Apple's frameworks: every failure is a sentence, never an end of the app.
@Suite("Without Core ML nothing is guessed", .enabled(if: !hasCoreML, "there is a Core ML here"))
struct WithoutAppleTests {
    @Test("An empty photo and one that is none are refused before anything else")
    func photos() {
        let decoder = ImageIODecoder()
        #expect(refusal { try decoder.photo(from: Data(), named: "a.jpg") } == PhotoRefusal.empty("a.jpg").sentence)
        #expect(
            refusal { try decoder.photo(from: Data("text".utf8), named: "a.txt") }.contains("(it begins with b'text')"))
    }

    @Test(
        "A model that cannot be compiled is an error, and leaves nothing in the cache", .enabled(if: Vectors.areThere))
    func opening() async throws {
        let folder = try ExportFolder(Vectors.tinyExport(), named: "export")
        let artifact = try #require(folder.artifacts.first)
        let compiled = CompiledModels(folder: try Vectors.temporaryFolder(), system: "test")
        await #expect(throws: (any Error).self) {
            try await CoreMLOpener(compiled: compiled).open(artifact, at: folder.verified(artifact), units: .cpu)
        }
        #expect(!compiled.holds(artifact))
    }

    @Test("What the system does not tell is nil, not zero")
    func device() async {
        #expect(DeviceMemory.footprintMib() == nil && DeviceMemory.availableMib() == nil)
        #expect(await LiveDevice().battery() == nil)
        #expect(LiveDevice().machine().cores > 0 && (LiveDevice().cpuMs() ?? 0) > 0)
    }
}
