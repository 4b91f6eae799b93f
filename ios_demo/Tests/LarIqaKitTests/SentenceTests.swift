import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("Bad inputs are refused in Python's words", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct SentenceTests {
    struct Sentences: Decodable {
        let manifests: [String: ManifestCase]
        let photos: [String: PhotoCase]
        let doesNotFit: String
        let tooSmall: String
        let tooLarge: String
        let kinds: String

        struct ManifestCase: Decodable {
            let json: String
            let sentence: String
        }
        struct PhotoCase: Decodable {
            let base64: Data
            let sentence: String
        }

        enum CodingKeys: String, CodingKey {
            case manifests, photos, kinds
            case doesNotFit = "does not fit"
            case tooSmall = "too small"
            case tooLarge = "too large"
        }
    }

    let sentences: Sentences

    init() throws {
        sentences = try Vectors.read("sentences")
    }

    @Test("Manifests of another version, incomplete, contradicting themselves")
    func manifests() {
        #expect(sentences.manifests.count == 18)
        for (name, row) in sentences.manifests {
            #expect(throws: Refusal(row.sentence), "\(name)") {
                try Manifest(json: Data(row.json.utf8), place: "lariqa.json")
            }
        }
    }

    @Test(
        "A manifest of the older schema, one without one of the tolerances, and tolerances that hold nothing",
        arguments: [
            ("lariqa-manifest/2", "lariqa-manifest/1", "has schema 'lariqa-manifest/1', this version reads "),
            ("\"float16\":", "\"float8\":", "is not a complete manifest: 'float16'"),
            (": 0.005", ": 0", "is not a complete manifest: the tolerance for float16 is 0.0"),
            (": 0.005", ": -1", "is not a complete manifest: the tolerance for float16 is -1.0"),
        ])
    func tolerances(old: String, new: String, sentence: String) throws {
        let path = try Vectors.export(replacing: old, with: new).appendingPathComponent("lariqa.json")
        let data = try Data(contentsOf: path)
        #expect(refusal { try Manifest(json: data, place: "lariqa.json") }.hasPrefix("lariqa.json \(sentence)"))
    }

    @Test("A manifest that is not JSON")
    func notJSON() {
        let sentence = refusal { try Manifest(json: Data("{".utf8), place: "lariqa.json") }
        #expect(sentence.hasPrefix("lariqa.json is not JSON: "))
        #expect(sentence.hasSuffix("; export again, into another folder"))
    }

    @Test("Photos: empty, of another kind, too large, too small, of another size")
    func photos() throws {
        #expect(PhotoRefusal.kinds == sentences.kinds)
        for (name, row) in sentences.photos {
            #expect(throws: Refusal(row.sentence)) { try PpmDecoder().photo(from: row.base64, named: name) }
        }
        #expect(PhotoRefusal.tooLarge("big.jpg", PhotoSize(width: 20000, height: 10001)).sentence == sentences.tooLarge)
        let takes = PhotoSize(width: 200, height: 150)
        #expect(throws: Refusal(sentences.doesNotFit)) { try black(120, 100).prepared(for: takes, fit: false) }
        #expect(throws: Refusal(sentences.tooSmall)) { try black(200, 31).prepared(for: takes, fit: true) }
    }

    @Test("A photo that fits is taken as it is; another one is fitted on request")
    func fits() throws {
        let takes = PhotoSize(width: 200, height: 150)
        let photo = try Vectors.photo("original")
        #expect(try photo.prepared(for: takes, fit: false) == photo)
        #expect(try photo.prepared(for: nil, fit: false) == photo)
        #expect(try black(120, 100).prepared(for: takes, fit: true).size == takes)
    }

    private func black(_ width: Int, _ height: Int) throws -> Photo {
        try Photo(
            size: PhotoSize(width: width, height: height), rgb: [UInt8](repeating: 0, count: width * height * 3))
    }
}
