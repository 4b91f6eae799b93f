import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "The audition's pictures are Python's, byte for byte",
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct AuditionPictureTests {
    @Test("Every generated picture, at the usual size and at an odd one")
    func generated() throws {
        let tile = try Vectors.photo("tile")
        let rows = try Vectors.audition().pictures
        #expect(Set(rows.map(\.picture)) == Set(AuditionPictures.names) && rows.count == 10)
        #expect(rows.contains { $0.width % 2 == 1 && $0.height % 2 == 1 } && Set(rows.map(\.sha256)).count == 10)
        for row in rows {
            let size = PhotoSize(width: row.width, height: row.height)
            let made = try #require(AuditionPictures.make(row.picture, from: tile, size: size))
            #expect(made.size == size && Sha256.of(Data(made.rgb)) == row.sha256, "\(row.picture) \(size)")
        }
        #expect(AuditionPictures.make("fog", from: tile, size: PhotoSize(width: 64, height: 64)) == nil)
    }

    @Test("The export's set: the golden photo, five pictures and the JPEG, as the inputs that Python made")
    func asInputs() throws {
        let folder = try ExportFolder(Vectors.tinyExport(), named: "export")
        let set = try AuditionSet.of(Vectors.artifact("views"), in: folder, decoder: PpmDecoder()).get()
        let judged = try Vectors.audition().judged
        #expect(set.pictures.map(\.name) == [Vectors.golden] + judged.map(\.photo) && set.notes.isEmpty)
        #expect(Set(judged.map(\.reference)).count == judged.count)
        for (picture, row) in zip(set.pictures.dropFirst(), judged) {
            #expect(abs(picture.reference - row.reference) < 1e-9 && picture.inputs.scoredAt == row.size)
            #expect(picture.inputs.images.mapValues { Sha256.of(Data($0.rgb)) } == row.inputs, "\(row.photo)")
        }
    }

    @Test("An older export is judged by the golden photo alone; unknown pictures and rules are left out: both are said")
    func older() throws {
        func set(_ old: String, _ new: String) throws -> AuditionSet {
            let folder = try ExportFolder(Vectors.export(replacing: old, with: new), named: "export")
            let artifact = try #require(folder.artifacts.first { $0.input == "views" })
            return try AuditionSet.of(artifact, in: folder, decoder: PpmDecoder()).get()
        }
        let alone = try set("\"audition\":", "\"trial\":")
        #expect(alone.pictures.map(\.name) == [Vectors.golden])
        #expect(alone.notes == ["the export has no audition pictures: judged by the golden photo alone; export again"])

        let fog = try set("\"picture\": \"dark\"", "\"picture\": \"fog\"")
        #expect(fog.pictures.count == 6 && !fog.pictures.contains { $0.name == "fog" })
        #expect(fog.notes == ["audition pictures that this version does not know were left out: fog"])

        let rules = try set("\"lariqa-audition/1\"", "\"lariqa-audition/2\"")
        #expect(rules.pictures.map(\.name) == [Vectors.golden, "golden.jpg"] && rules.notes.count == 1)
        #expect(rules.notes.first?.hasSuffix("dark, washed, flat, texture, gradient") == true)
    }

    @Test("A file for one size has no audition in the manifest, and is judged by the golden photo")
    func oneSize() throws {
        let folder = try ExportFolder(Vectors.tinyExport(), named: "export")
        let set = try AuditionSet.of(Vectors.artifact("pixels"), in: folder, decoder: PpmDecoder()).get()
        #expect(set.pictures.count == 1 && set.notes.count == 1)
    }

    @Test("A spoiled golden file ends the audition with a sentence")
    func spoiled() throws {
        let copy = try Vectors.exportToSpoil()
        try Data("other".utf8).write(to: copy.appendingPathComponent("golden_jpg.png"))
        let folder = try ExportFolder(copy, named: "export")
        let sentence = refusal { try AuditionSet.of(Vectors.artifact("views"), in: folder, decoder: PpmDecoder()) }
        #expect(sentence.hasPrefix("golden_jpg.png is not the file that lariqa.json beside it describes"))
    }
}
