import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("Compiled models", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct CompiledModelsTests {
    @Test("One is compiled once, kept for its system, and made anew after an update; the stale one goes")
    func keeps() async throws {
        let artifact = try #require(try ExportFolder(Vectors.tinyExport(), named: "export").artifacts.first)
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
