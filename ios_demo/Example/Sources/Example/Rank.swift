import Foundation
import LarIqaApple
import LarIqaKit

/// Scores photos and says which one to keep.
func rank(_ photos: [URL], with export: URL) async throws {
    // Compares every sha256, tries the phone's processors, scores the golden photo. What is wrong is thrown as a sentence.
    let iqa = try await LarIqa(export)
    print(iqa.selfTest.sentence)
    iqa.audition?.results.forEach { print($0.sentence) }

    var scores: [PhotoScore] = []
    for photo in photos {
        let score = try await iqa.score(photo)
        print(score.photo, score.text, score.caveats.joined(separator: " "))
        scores.append(score)
    }
    print(Burst(scores).sentence)
}
