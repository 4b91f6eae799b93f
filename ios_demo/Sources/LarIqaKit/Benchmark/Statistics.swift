import Foundation

/// What a list of samples says, as `lariqa bench` reports it: percentiles lie between samples (numpy's `linear`).
public struct Statistics: Sendable, Equatable {
    public let count: Int
    public let min: Double
    public let p50: Double
    public let p90: Double
    public let p95: Double
    public let p99: Double
    public let max: Double
    public let mean: Double
    /// Of the samples (n - 1); 0 for one sample.
    public let standardDeviation: Double

    /// Nil where there are no samples.
    public init?(_ samples: [Double]) {
        let sorted = samples.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        func percentile(_ percent: Double) -> Double {
            let place = percent / 100 * Double(sorted.count - 1)
            let below = Int(place)
            let above = Swift.min(below + 1, sorted.count - 1)
            return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
        }
        count = sorted.count
        min = first
        max = last
        p50 = percentile(50)
        p90 = percentile(90)
        p95 = percentile(95)
        p99 = percentile(99)
        let mean = sorted.reduce(0, +) / Double(count)
        self.mean = mean
        let squares = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        standardDeviation = count > 1 ? (squares / Double(count - 1)).squareRoot() : 0
    }
}
