import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("sha256 is Python's", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct Sha256Tests {
    struct Hashes: Decodable {
        let files: [String: String]
        let folder: String
    }

    @Test("Files of every length around a block, and a folder in the order of code points")
    func hashes() throws {
        let hashes = try Vectors.read("hashes", as: Hashes.self)
        #expect(hashes.files.count == 10)
        for (name, sha256) in hashes.files {
            let data = try Data(contentsOf: Vectors.place().appendingPathComponent(name))
            #expect(try Sha256.ofFile(Vectors.place().appendingPathComponent(name)) == sha256, "\(name)")
            #expect(Sha256.of(data) == sha256)
            var portable = PortableSha256()
            for start in stride(from: 0, to: data.count, by: 1000) {
                portable.update(data[start..<min(start + 1000, data.count)])
            }
            #expect(portable.finalise() == sha256, "\(name)")
        }
        #expect(try Sha256.ofArtifact(Vectors.place().appendingPathComponent("hashed")) == hashes.folder)
    }
}
