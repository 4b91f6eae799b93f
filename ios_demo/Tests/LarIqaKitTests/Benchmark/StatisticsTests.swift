import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("Statistics are numpy's", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct StatisticsTests {
    struct Quantiles: Decodable {
        let samples: [Double]
        let percentiles: [Double]
        let mean: Double
        let sd: Double
    }

    @Test("Percentiles, mean and standard deviation are numpy's")
    func quantiles() throws {
        for row in try Vectors.read("quantiles", as: [Quantiles].self) {
            let said = try #require(Statistics(row.samples))
            let figures = [
                said.min, said.p50, said.p90, said.p95, said.p99, said.max, said.mean, said.standardDeviation,
            ]
            for (figure, expected) in zip(figures, row.percentiles + [row.mean, row.sd]) {
                #expect(abs(figure - expected) < 1e-9)
            }
        }
        #expect(Statistics([]) == nil)
    }
}
