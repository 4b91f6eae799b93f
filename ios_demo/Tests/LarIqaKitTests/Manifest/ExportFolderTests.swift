import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "An export folder is checked before it is used", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct ExportFolderTests {
    @Test("A real export opens: its file is the one that was proved, its golden photo has a reference")
    func opens() throws {
        let folder = try ExportFolder(Vectors.tinyExport(), named: "this app")
        let artifact = try #require(folder.artifacts.first)
        #expect(artifact.photoSize == PhotoSize(width: 200, height: 150) && artifact.output == "score")
        #expect(!folder.manifest.provenance.trained && folder.manifest.score.meaning.hasPrefix("NOT TRAINED"))
        #expect(try folder.verified(artifact).lastPathComponent == artifact.file)
        let expected = try folder.expectation(of: artifact, decoder: PpmDecoder()).get()
        #expect(try expected.photo == Vectors.photo("golden"))
        let references = try #require(artifact.parity).photos.map(\.reference)
        #expect(references.count == 6 && Set(references).count == 6 && references.contains(expected.reference))
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
            #expect(expected.photo.size == artifact.photoSize)
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
        #expect(sentence.contains("it lists lariqa_pixels_crop_200x150_fp32.mlpackage"))
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
