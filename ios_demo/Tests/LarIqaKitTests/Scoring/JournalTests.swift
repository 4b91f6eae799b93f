import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("Nothing is lost when the app is ended")
struct JournalTests {
    @Test("Scores are kept across starts, and the photo in hand is named once")
    func interruption() async throws {
        let folder = try Vectors.temporaryFolder()
        let journal = try Journal(folder: folder)
        #expect(await journal.interruption() == nil)
        try await journal.begin("first.heic")
        try await journal.finish(entry("first.heic"))
        try await journal.begin("second.heic")

        let afterwards = try Journal(folder: folder)
        #expect(await afterwards.entries().map(\.photo) == ["first.heic"])
        let sentence = await afterwards.interruption()
        #expect(sentence == "The app was ended while it scored second.heic. Scores kept from before: 1.")
        #expect(await afterwards.interruption() == nil)
    }

    @Test("A line that was cut off does not spoil the others")
    func cutOff() async throws {
        let folder = try Vectors.temporaryFolder()
        let journal = try Journal(folder: folder)
        try await journal.finish(entry("a"))
        let file = try FileHandle(forWritingTo: folder.appendingPathComponent("scores.jsonl"))
        try file.seekToEnd()
        try file.write(contentsOf: Data("{\"photo\": \"b".utf8))
        try file.close()
        #expect(await journal.entries().map(\.photo) == ["a"])
        try await journal.finish(entry("c"))
        #expect(await journal.entries().map(\.photo) == ["a", "c"])
    }

    @Test("A photo that was refused is not called unfinished")
    func refused() async throws {
        let journal = try Journal(folder: try Vectors.temporaryFolder())
        try await journal.begin("a")
        await journal.forget()
        #expect(await journal.interruption() == nil)
    }

    private func entry(_ photo: String) -> Journal.Entry {
        Journal.Entry(
            PhotoScore(
                photo: photo, score: 0.5, size: PhotoSize(width: 1, height: 1),
                scoredAt: PhotoSize(width: 1, height: 1),
                run: Run(score: 0.5, bufferMs: 0, inferenceMs: 0, postMs: 0), runtime: "", units: .cpu,
                arithmetic: .float32, tolerance: nil))
    }
}
