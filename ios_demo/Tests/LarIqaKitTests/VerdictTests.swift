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
        let scores = [score("a", 0.500, limit: 0.01), score("b", 0.485, limit: 0.01)]
        #expect(Burst(scores).places[1].isCloseCall)
        #expect(!Burst([score("a", 0.500), score("b", 0.485)]).places[1].isCloseCall)
    }

    @Test(
        "A self-test passes within its limit and nowhere else",
        arguments: [
            (0.5, true), (0.50009, true), (0.49991, true), (0.50011, false), (0.4998, false), (Double.nan, false),
        ])
    func selfTest(score: Double, passes: Bool) {
        let parity = Artifact.Parity(reference: "PyTorch", runtime: "", limit: 5e-5, worst: 0, photos: [])
        let photo = Photo(madeAs: PhotoSize(width: 1, height: 1), rgb: [0, 0, 0])
        let judged = SelfTest.Expectation(photo: photo, reference: 0.5, parity: parity).judge(score, .float32)
        if case .passed = judged { #expect(passes) } else { #expect(!passes) }
    }

    @Test("An export with a limit of its own keeps it where it is the wider one")
    func limits() {
        let wide = Artifact.Parity(reference: "", runtime: "", limit: 0.02, worst: 0, photos: [])
        #expect(Arithmetic.float32.limit(of: wide) == 0.02 && Arithmetic.mayBeFloat16.limit(of: wide) == 0.02)
        #expect(ComputeUnits.allCases.filter { $0.arithmetic == .float32 } == [.cpu])
    }

    @Test(
        "The meaning warns first: not trained, resampled, outside the scale",
        .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
    func meaning() throws {
        let folder = try ModelFolder(Vectors.tinyExport(), named: "export")
        let artifact = try #require(folder.artifacts.first)
        let plain = ScoreMeaning(score("a", 0.25), manifest: folder.manifest, artifact: artifact)
        #expect(plain.warnings == [folder.manifest.score.meaning] && plain.position == 0.25)
        #expect(plain.scale == "0.2500 on a scale of about 0 to 1, higher is better.")
        #expect(plain.views.contains("128x128") && plain.views.contains("the middle 128x128 px"))
        #expect(plain.exactness == "Within 0.0001 of PyTorch's score, in float32 on the CPU.")
        #expect(plain.doesNotSay.contains("does not say"))
        let odd = ScoreMeaning(score("a", 1.5, at: 64), manifest: folder.manifest, artifact: artifact)
        #expect(odd.warnings.count == 3 && odd.position == 1 && odd.warnings[1].contains("resampled to 64x64"))
    }

    private func score(_ photo: String, _ score: Double, limit: Double = 1e-4, at side: Int = 8) -> PhotoScore {
        PhotoScore(
            photo: photo, score: score, size: PhotoSize(width: 8, height: 8),
            scoredAt: PhotoSize(width: side, height: side),
            run: Run(score: score, preprocessMs: 0, inferenceMs: 0, postMs: 0), runtime: "", units: .cpu, limit: limit)
    }
}
