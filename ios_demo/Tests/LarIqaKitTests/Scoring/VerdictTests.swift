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
        let artifact = try #require(folder.artifacts.first)
        let plain = ScoreMeaning(score("a", 0.25), manifest: folder.manifest, artifact: artifact)
        #expect(plain.warnings == [folder.manifest.score.meaning] && plain.position == 0.25)
        #expect(plain.scale == "0.2500 on a scale of about 0 to 1, higher is better.")
        #expect(plain.views.contains("128x128") && plain.views.contains("the middle 128x128 px"))
        #expect(plain.exactness == "Within 0.0001 of PyTorch's score, computed in float32.")
        #expect(plain.doesNotSay.contains("does not say"))
        let warned = ScoreMeaning(score("a", 1.5, at: 64), manifest: folder.manifest, artifact: artifact)
        #expect(warned.warnings.count == 3 && warned.position == 1 && warned.warnings[1].contains("resampled to 64x64"))
    }

    private func score(_ photo: String, _ score: Double, tolerance: Double = 1e-4, at side: Int = 8) -> PhotoScore {
        PhotoScore(
            photo: photo, score: score, size: PhotoSize(width: 8, height: 8),
            scoredAt: PhotoSize(width: side, height: side),
            run: Run(score: score, preprocessMs: 0, inferenceMs: 0, postMs: 0), runtime: "", units: .cpu,
            arithmetic: .float32, tolerance: tolerance)
    }
}
