import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "The decoder is part of the score", .timeLimit(.minutes(1)),
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct DecoderCheckTests {
    @Test(
        "How many levels a decode is off, and how many values",
        arguments: ["golden_jpg", "golden_heic"], ["", " one off", " off"])
    func levels(file: String, kind: String) throws {
        let row = try Vectors.audition().decode(file + kind)
        let levels = try Levels(Vectors.photo(row.photo), against: Vectors.photo(file))
        #expect(levels.worst == row.worst && abs(levels.mean - row.mean) < 1e-12)
        #expect(abs(levels.differingShare - row.share) < 1e-12)
    }

    @Test("A decode of another size is no decode of it")
    func otherSize() throws {
        let sentence = refusal { try Levels(Vectors.photo("tile"), against: Vectors.photo("golden_jpg")) }
        #expect(sentence.hasPrefix("it was decoded to "))
    }

    @Test("A decoder that agrees says nothing; one that moves the score is named beside scores of lossy files alone")
    func sentence() async throws {
        let agrees = try await check("golden_jpg")
        #expect(agrees.sentence == nil && agrees.effect == 0 && agrees.figures?.worstLevels == 0)
        #expect(agrees.summary.hasSuffix("gives golden.jpg the reference's pixels, byte for byte."))
        #expect(try abs((agrees.figures?.score ?? 0) - Vectors.audition().decode("golden_jpg").reference) < 1e-9)

        let rounds = try await check("golden_jpg one off")
        #expect(rounds.sentence == nil && (rounds.effect ?? 0) > 0 && rounds.figures?.worstLevels == 1)
        #expect(rounds.summary.contains("off by up to 1 levels on golden.jpg, which moves its score by 0.0000"))

        let off = try await check("golden_jpg off")
        let row = try Vectors.audition().decode("golden_jpg off")
        let moved = try abs(row.reference - Vectors.audition().decode("golden_jpg").reference)
        #expect(moved > 1e-4 && abs((off.effect ?? 0) - moved) < 1e-9)
        #expect(off.figures?.score == row.reference && off.figures?.worstLevels == row.worst)
        #expect(
            off.sentence
                == "This phone's decoder (the vectors) is off by up to 12 levels on golden.jpg, which moves that "
                + "picture's score by \(figure(moved)): this score may be off as much.")
    }

    @Test("A HEIC is judged likewise; it has no score of PyTorch's, but two of the unit's")
    func heic() async throws {
        let agrees = try #require(try await checked(heic: "golden_heic"))
        #expect(agrees.sentence == nil && agrees.effect == 0 && agrees.figures?.reference == nil)
        #expect(agrees.summary.hasSuffix("gives golden.heic the reference's pixels, byte for byte."))
        let off = try #require(try await checked(heic: "golden_heic off"))
        let right = try Vectors.audition().decode("golden_heic").reference
        let moved = try abs(Vectors.audition().decode("golden_heic off").reference - right)
        #expect(moved > 1e-4 && abs((off.effect ?? 0) - moved) < 1e-9)
        #expect(abs((off.figures?.scoreOfExpected ?? 0) - right) < 1e-9)
        #expect(off.sentence?.contains("is off by up to 12 levels on golden.heic, which moves that") == true)
    }

    @Test("On an accelerator that is itself off, the decoder is judged by what it alone does")
    func onAccelerator() async throws {
        let check = try await check("golden_jpg", error: 0.004)
        #expect(check.sentence == nil && check.effect == 0)
        #expect(abs((check.figures?.score ?? 0) - (check.figures?.reference ?? 0)) > 0.003)
    }

    @Test("An older export has no check; a spoiled golden JPEG, and a decoder that refuses it, are a sentence")
    func notPossible() async throws {
        let older = try Vectors.export(replacing: "\"jpeg\":", with: "\"jpg\":")
        #expect(try await checked("golden_jpg", export: older) == nil)
        let copy = try Vectors.exportToSpoil()
        try Data("other".utf8).write(to: copy.appendingPathComponent("golden.jpg"))
        let spoiled = try #require(try await checked("golden_jpg", export: copy))
        #expect(spoiled.figures == nil && spoiled.effect == nil)
        #expect(
            spoiled.sentence?.hasPrefix(
                "This phone's decoder could not be compared with the reference's: golden.jpg is not the file") == true)
    }

    @Test(
        "Lossy files are told by their first bytes",
        arguments: [
            ([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0, 1], .jpeg),
            (box("heic", "mif1", "heic"), .heic),
            (box("mif1", "heic"), .heic),
            (box("mif1", "miaf", "avif"), .jpeg),
            (box("avif"), .jpeg),
            ([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13], nil),
            ([0x52, 0x49, 0x46, 0x46, 1, 2, 3, 4, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x20], .jpeg),
            ([0x52, 0x49, 0x46, 0x46, 1, 2, 3, 4, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x4c], nil),
            ([0xff, 0xd8], nil),
        ] as [([UInt8], LossyFile?)])
    func lossy(start: [UInt8], kind: LossyFile?) {
        #expect(LossyFile.of(Data(start)) == kind)
        #expect(LossyFile.of(Data([9, 9] + start).dropFirst(2)) == kind)
    }

    /// A file type box, and the beginning of the next one, whose bytes are no brands.
    private static func box(_ major: String, _ compatible: String...) -> [UInt8] {
        let brands = Array(compatible.joined().utf8)
        let version: [UInt8] = [0, 0, 0, 0]
        var bytes: [UInt8] = [0, 0, 0, UInt8(16 + brands.count)]
        bytes += Array("ftyp\(major)".utf8) + version
        return bytes + brands + Array("avifavif".utf8)
    }

    private func check(_ jpeg: String, error: Double = 0) async throws -> DecoderCheck {
        try #require(try await checked(jpeg, error: error))
    }

    /// Of the HEIC where its decode is named.
    private func checked(
        _ jpeg: String = "golden_jpg", heic: String? = nil, error: Double = 0, export: URL? = nil
    ) async throws -> DecoderCheck? {
        let folder = try ExportFolder(export ?? Vectors.tinyExport(), named: "export")
        let artifact = try #require(folder.artifacts.first)
        var options = RecordedRunner.Options()
        options.error = error
        let runner = try RecordedRunner(artifact, options)
        let golden = folder.manifest.golden
        let decoder = PpmDecoder(jpeg: jpeg, heic: heic ?? "golden_heic")
        return try await DecoderCheck.of(
            heic == nil ? golden?.jpeg : golden?.heic, artifact, in: folder, decoder: decoder, units: .npu
        ) { photo in
            try await runner.run(ModelInputs(of: photo, for: artifact, folder.manifest.preprocess, fit: false)).score
        }
    }
}
