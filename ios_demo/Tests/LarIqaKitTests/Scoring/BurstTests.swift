import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "A burst is ranked as on the other phone", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct BurstTests {
    struct Golden: Decodable {
        let margins: [Margin]
        let bursts: [Row]

        struct Margin: Decodable {
            let worst: Double?
            let sd: Double?
            let auditionWorst: Double?
            let margin: Double?
        }
        struct Row: Decodable {
            let margin: Double?
            let photos: [Scored]
            let order: [String]
            let groups: [[String]]
            let sentence: String
        }
        struct Scored: Decodable {
            let photo: String
            let score: Double
        }
    }

    @Test("Order, groups, and the sentence with the reason for the kept one")
    func bursts() throws {
        let rows = try Vectors.read("burst", as: Golden.self).bursts
        #expect(rows.count == 9)
        for row in rows {
            let burst = Burst(row.photos.map { score($0.photo, $0.score, margin: row.margin) })
            #expect(burst.places.map(\.score.photo) == row.order && burst.kept?.photo == row.order.first)
            #expect(burst.places.map(\.rank) == Array(1..<row.order.count + 1))
            #expect(burst.places.filter(\.isKept).count == min(1, row.order.count))
            #expect(burst.groups == row.groups)
            #expect(burst.sentence == row.sentence)
        }
    }

    @Test("The margin comes from the file's own proof, and on an accelerator from its audition too")
    func margins() throws {
        let rows = try Vectors.read("burst", as: Golden.self).margins
        #expect(rows.count == 7)
        for row in rows {
            let parity = row.worst.map {
                Artifact.Parity(reference: "", runtime: "", limit: 1, worst: $0, sd: row.sd, photos: [])
            }
            let margin = parity?.margin(auditionWorst: row.auditionWorst)
            #expect(margin.map { abs($0 - (row.margin ?? -1)) < 1e-12 } ?? (row.margin == nil))
        }
    }

    @Test("Photos that were scored on different units: the wider margin counts")
    func mixed() {
        let burst = Burst([score("a", 0.5, margin: 1e-5), score("b", 0.49, margin: 0.02)])
        #expect(burst.groups == [["a", "b"]])
        #expect(burst.sentence.contains("less than 0.020 cannot be told apart"))
    }

    private func score(_ photo: String, _ score: Double, margin: Double?) -> PhotoScore {
        let size = PhotoSize(width: 8, height: 8)
        return PhotoScore(
            photo: photo, score: score, size: size, scoredAt: size,
            run: Run(score: score, bufferMs: 0, inferenceMs: 0, postMs: 0), runtime: "", units: .cpu,
            arithmetic: .float32, tolerance: nil, margin: margin)
    }
}
