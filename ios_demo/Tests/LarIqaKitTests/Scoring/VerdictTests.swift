import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("Scores become words")
struct VerdictTests {
    @Test("The best of a burst is kept, the others follow, close calls are named")
    func burst() {
        let burst = Burst([score("a", 0.41), score("b", 0.63), score("c", 0.52), score("d", 0.6299)])
        #expect(burst.places.map(\.score.photo) == ["b", "d", "c", "a"] && burst.places.map(\.rank) == [1, 2, 3, 4])
        #expect(burst.places.map(\.isKept) == [true, false, false, false])
        #expect(burst.places.map(\.isCloseCall) == [false, true, false, false])
        #expect(burst.sentence == "Keep b, or d: too close to tell apart.")
    }

    @Test("Of equal scores the earlier photo is kept")
    func equal() {
        #expect(Burst([score("a", 0.5), score("b", 0.5)]).kept?.photo == "a")
    }

    @Test("A clear winner, a single photo, none")
    func sentences() {
        #expect(Burst([score("a", 0.25), score("b", 0.5)]).sentence == "Keep b: 0.250 ahead of the next of 2.")
        #expect(Burst([score("a", 0.25)]).sentence == "Keep a: the only one that was scored.")
        #expect(Burst([]).sentence == "No photo was scored.")
    }

    @Test("The wider the runtime's error, the more calls are close")
    func closeCalls() {
        let scores = [score("a", 0.500, tolerance: 0.01), score("b", 0.485, tolerance: 0.01)]
        #expect(Burst(scores).places[1].isCloseCall)
        #expect(!Burst([score("a", 0.500), score("b", 0.485)]).places[1].isCloseCall)
    }

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
