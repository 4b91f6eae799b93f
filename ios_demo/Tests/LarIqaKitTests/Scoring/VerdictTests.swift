import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("Scores become words")
struct VerdictTests {
    @Test(
        "A self-test passes within the tolerance that it is given and nowhere else",
        arguments: [
            (0.5, 1e-4, true), (0.50009, 1e-4, true), (0.49991, 1e-4, true), (0.50011, 1e-4, false),
            (0.4998, 1e-4, false), (0.4998, 1e-3, true), (Double.nan, 1, false),
        ])
    func selfTest(score: Double, tolerance: Double, passes: Bool) {
        let photo = Photo(madeAs: PhotoSize(width: 1, height: 1), rgb: [0, 0, 0])
        let expected = SelfTest.Expectation(photo: photo, reference: 0.5)
        let judged = expected.judge(score, tolerance: tolerance, .float32)
        if case .passed = judged { #expect(passes) } else { #expect(!passes) }
    }

    @Test(
        "The meaning warns first: not trained, resampled, outside the scale",
        .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
    func meaning() throws {
        let folder = try ExportFolder(Vectors.tinyExport(), named: "export")
        let artifact = try Vectors.artifact("pixels")
        func meaning(_ score: PhotoScore) -> ScoreMeaning {
            ScoreMeaning(score, manifest: folder.manifest, artifact: artifact)
        }
        let plain = meaning(score("a", 0.25))
        #expect(plain.warnings == [folder.manifest.score.meaning] && plain.position == 0.25)
        #expect(plain.scale == "0.2500 on a scale of about 0 to 1, higher is better.")
        #expect(plain.exactness == "Within 0.0001 of PyTorch's score, computed in float32.")
        #expect(plain.doesNotSay.contains("does not say"))
        let warned = meaning(score("a", 1.5, at: PhotoSize(width: 64, height: 64)))
        #expect(warned.warnings.count == 3 && warned.position == 1 && warned.warnings[1].contains("resampled to 64x64"))
    }

    @Test(
        "What the model looked at is the middle of a large photo, all of a small one",
        .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)),
        arguments: [
            (400, 300, "the middle 128x128 px at full resolution"),
            (400, 100, "the middle 128x100 px at full resolution"),
            (128, 128, "every pixel at full resolution"),
        ])
    func looks(width: Int, height: Int, native: String) throws {
        let manifest = try ExportFolder(Vectors.tinyExport(), named: "export").manifest
        let size = PhotoSize(width: width, height: height)
        let meaning = ScoreMeaning(
            score("a", 0.5, at: size), manifest: manifest, artifact: try Vectors.artifact("views"))
        #expect(meaning.views == "The model looked twice: at the whole photo, scaled to 128x128, and at \(native).")
    }

    private func score(
        _ photo: String, _ score: Double, tolerance: Double = 1e-4,
        at scored: PhotoSize = PhotoSize(width: 8, height: 8)
    ) -> PhotoScore {
        PhotoScore(
            photo: photo, score: score, size: PhotoSize(width: 8, height: 8),
            scoredAt: scored,
            run: Run(score: score, bufferMs: 0, inferenceMs: 0, postMs: 0), runtime: "", units: .cpu,
            arithmetic: .float32, tolerance: tolerance)
    }
}
