import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "An export folder is checked before it is used", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct ExportFolderTests {
    @Test("A real export opens: the file for photos of any size first, each the one that was proved, with a reference")
    func opens() throws {
        let folder = try ExportFolder(Vectors.tinyExport(), named: "this app")
        #expect(folder.artifacts.map(\.input) == ["views", "pixels"])
        #expect(folder.manifest.artifacts.map(\.input) == ["pixels", "views"])
        #expect(folder.artifacts.map(\.photoSize) == [nil, PhotoSize(width: 200, height: 150)])
        #expect(!folder.manifest.provenance.trained && folder.manifest.score.meaning.hasPrefix("NOT TRAINED"))
        for (artifact, photos) in zip(folder.artifacts, [14, 6]) {
            #expect(try folder.verified(artifact).lastPathComponent == artifact.file && artifact.output == "score")
            let references = try #require(artifact.parity).photos.map(\.reference)
            #expect(references.count == photos && Set(references).count == photos)
            let expected = try folder.expectation(of: artifact, decoder: PpmDecoder()).get()
            #expect(references.contains(expected.reference))
        }
    }

    @Test("The golden photo has the size of its row in parity; an older file for one size gives it that size")
    func goldenSize() throws {
        func made(_ export: URL, _ input: String) throws -> Result<SelfTest.Expectation, Refusal> {
            let folder = try ExportFolder(export, named: "this app")
            let artifact = try #require(folder.artifacts.first { $0.input == input })
            return try folder.expectation(of: artifact, decoder: PpmDecoder())
        }
        let export = try Vectors.tinyExport()
        let any = try made(export, "views").get()
        #expect(any.photo.size == PhotoSize(width: 2016, height: 1512))
        #expect(try any.reference == Vectors.reference(Vectors.golden))
        #expect(try made(export, "pixels").get().photo == Vectors.photo("golden"))

        let unauditioned = try Vectors.export(replacing: "\"audition\":", with: "\"trial\":")
        let older = try Vectors.export(replacing: "\"width_px\"", with: "\"wide\"", in: unauditioned)
        #expect(try made(older, "pixels").get().photo == Vectors.photo("golden"))
        let reason = Refusal(
            "lariqa_views_crop_fp32.mlpackage takes photos of any size, and lariqa.json does not say of which its "
                + "reference score of golden.png is; export it again")
        #expect(throws: reason) { try made(older, "views").get() }
        let huge = try Vectors.export(replacing: "\"width_px\": 2016", with: "\"width_px\": 5000000000000000000")
        #expect(throws: reason) { try made(huge, "views").get() }
    }

    @Test(
        "A full-size export is the one that was proved, and its golden photo has a reference",
        .enabled(if: Vectors.export != nil, "LARIQA_EXPORT names one"))
    func fullSize() throws {
        let folder = try ExportFolder(try #require(Vectors.export), named: "export")
        for artifact in folder.artifacts {
            #expect(artifact.bytes > 10_000_000)
            #expect(try folder.verified(artifact).lastPathComponent == artifact.file)
            let expected = try folder.expectation(of: artifact, decoder: PpmDecoder()).get()
            #expect(artifact.photoSize == nil || expected.photo.size == artifact.photoSize)
        }
    }

    @Test("No model")
    func none() throws {
        let empty = try Vectors.temporaryFolder()
        let sentence =
            "this app holds no lariqa.json with artifacts; `lariqa export` makes one, "
            + "`make ios MODEL_DIR=FOLDER` copies it in"
        #expect(throws: Refusal(sentence)) { try ExportFolder(empty, named: "this app") }
    }

    @Test("A tampered file: one byte of the weights is enough")
    func tampered() throws {
        let copy = try Vectors.exportToSpoil()
        let folder = try ExportFolder(copy, named: "this app")
        let artifact = try #require(folder.artifacts.first)
        let weights = copy.appendingPathComponent("\(artifact.file)/Data/com.apple.CoreML/weights/weight.bin")
        var data = try Data(contentsOf: weights)
        data[data.count / 2] ^= 1
        try data.write(to: weights)
        let sentence =
            "\(artifact.file) is not the file that lariqa.json beside it describes (its sha256 differs); export again"
        #expect(throws: Refusal(sentence)) { try folder.verified(artifact) }
    }

    @Test("A missing file, and a file too many in the package")
    func missing() throws {
        let copy = try Vectors.exportToSpoil()
        let folder = try ExportFolder(copy, named: "this app")
        let artifact = try #require(folder.artifacts.first)
        try Data().write(to: copy.appendingPathComponent("\(artifact.file)/more"))
        #expect(throws: Refusal.self) { try folder.verified(artifact) }
        try FileManager.default.removeItem(at: copy.appendingPathComponent(artifact.file))
        #expect(throws: Refusal("no model at \(artifact.file); `lariqa export` makes one")) {
            try folder.verified(artifact)
        }
    }

    @Test("An export without a Core ML file says what it lists")
    func otherFormats() throws {
        let copy = try Vectors.exportToSpoil()
        try spoil(copy, "\"coreml\"", "\"onnx\"")
        let sentence = refusal { try ExportFolder(copy, named: "this app") }
        #expect(
            sentence.contains("it lists lariqa_pixels_crop_200x150_fp32.mlpackage, lariqa_views_crop_fp32.mlpackage"))
    }

    @Test("A golden photo that is missing or changed is refused; an export without one says so")
    func golden() throws {
        let copy = try Vectors.exportToSpoil()
        let folder = try ExportFolder(copy, named: "this app")
        let artifact = try #require(folder.artifacts.first)
        try Data("other".utf8).write(to: copy.appendingPathComponent("golden.png"))
        #expect(throws: Refusal.self) { try folder.expectation(of: artifact, decoder: PpmDecoder()) }
        try FileManager.default.removeItem(at: copy.appendingPathComponent("golden.png"))
        #expect(throws: Refusal("no golden photo at golden.png; copy the export again")) {
            try folder.expectation(of: artifact, decoder: PpmDecoder())
        }
        try spoil(copy, "\"golden\":", "\"silver\":")
        let older = try ExportFolder(copy, named: "this app").expectation(of: artifact, decoder: PpmDecoder())
        #expect(throws: Refusal("this export names no golden photo; export again with this toolkit")) {
            try older.get()
        }
    }

    private func spoil(_ folder: URL, _ old: String, _ new: String) throws {
        let path = folder.appendingPathComponent("lariqa.json")
        let text = try String(contentsOf: path, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new).write(to: path, atomically: true, encoding: .utf8)
    }
}
