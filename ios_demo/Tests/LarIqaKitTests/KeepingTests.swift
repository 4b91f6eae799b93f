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
                run: Run(score: 0.5, preprocessMs: 0, inferenceMs: 0, postMs: 0), runtime: "", units: .cpu,
                arithmetic: .float32, tolerance: nil))
    }
}

@Suite("Compiled models", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct CompiledModelsTests {
    @Test("One is compiled once, kept for its system, and made anew after an update; the stale one goes")
    func keeps() async throws {
        let artifact = try #require(try ModelFolder(Vectors.tinyExport(), named: "export").artifacts.first)
        let folder = try Vectors.temporaryFolder().appendingPathComponent("compiled")
        let counter = Counter()
        func url(_ system: String) async throws -> URL {
            try await CompiledModels(folder: folder, system: system).url(for: artifact) { try await counter.compile() }
        }
        let first = try await url("17.4 (21E219)")
        #expect(try await url("17.4 (21E219)") == first)
        #expect(await counter.count == 1)
        #expect(CompiledModels(folder: folder, system: "17.4 (21E219)").holds(artifact))
        let second = try await url("18.0 (22A3354)")
        #expect(await counter.count == 2)
        #expect(second != first && !FileManager.default.fileExists(atPath: first.path))
        CompiledModels(folder: folder, system: "18.0 (22A3354)").remove(artifact)
        _ = try await url("18.0 (22A3354)")
        #expect(await counter.count == 3)
    }

    actor Counter {
        private(set) var count = 0

        func compile() throws -> URL {
            count += 1
            let made = try Vectors.temporaryFolder().appendingPathComponent("made.mlmodelc")
            try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
            return made
        }
    }
}
