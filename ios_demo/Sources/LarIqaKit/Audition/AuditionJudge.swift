import Foundation

/// Admits or refuses one unit by its scores of pictures whose reference scores are known.
///
/// It is admitted where every score is within the tolerance for what the unit computes in. Otherwise the reason is the one
/// that says most of the fault: not finite; the same whatever the picture; how far off, and where.
public enum AuditionJudge {
    /// The score of one picture; not finite where the unit gave none.
    public struct Scored: Sendable, Equatable {
        public let picture: String
        public let score: Double
        public let reference: Double

        public init(picture: String, score: Double, reference: Double) {
            self.picture = picture
            self.score = score
            self.reference = reference
        }

        var difference: Double { score - reference }
    }

    /// - Returns: why the unit is refused; nil: it is admitted.
    public static func refusal(of scores: [Scored], tolerance: Double) -> String? {
        guard !scores.isEmpty else { return "it scored nothing" }
        if let broken = scores.first(where: { !$0.score.isFinite }) {
            return "its score of \(broken.picture) is \(broken.score): not a finite number"
        }
        let (given, expected) = (spread(scores.map(\.score)), spread(scores.map(\.reference)))
        guard 2 * given >= expected else {
            return "its scores of \(scores.count) pictures lie within \(figure(given)), PyTorch's within "
                + "\(figure(expected)): it does not see the pictures"
        }
        let wrong = scores.filter { abs($0.difference) > tolerance }
        guard let worst = wrong.max(by: { abs($0.difference) < abs($1.difference) }) else { return nil }
        let mean = scores.map(\.difference).reduce(0, +) / Double(scores.count)
        let isOffset = scores.count > 1 && wrong.count == scores.count && spread(scores.map(\.difference)) <= tolerance
        return "off by \(figure(abs(worst.difference))) on \(worst.picture), allowed is \(figure(tolerance)); "
            + "\(wrong.count) of \(scores.count) pictures are wrong"
            + (isOffset ? ", all by the same \(mean < 0 ? "-" : "+")\(figure(abs(mean)))" : "")
    }

    private static func spread(_ values: [Double]) -> Double { (values.max() ?? 0) - (values.min() ?? 0) }
}
