import Foundation

/// Several photos of one moment, best first: which one to keep.
public struct Burst: Sendable, Equatable {
    public struct Place: Sendable, Equatable, Identifiable {
        public let rank: Int
        public let score: PhotoScore
        public let isKept: Bool
        /// The score is so near the kept one's that the runtime's own error may have decided.
        public let isCloseCall: Bool

        public var id: String { score.photo }
    }

    public let places: [Place]

    /// - Parameter scores: in the order of the burst; of equal scores the earlier photo's is first.
    public init(_ scores: [PhotoScore]) {
        let ranked = scores.enumerated().sorted {
            ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
        }
        let best = ranked.first?.element
        places = ranked.enumerated().map { rank, row in
            let error = (row.element.tolerance ?? 0) + (best?.tolerance ?? 0)
            return Place(
                rank: rank + 1, score: row.element, isKept: rank == 0,
                isCloseCall: rank > 0 && (best?.score ?? 0) - row.element.score <= error)
        }
    }

    public var kept: PhotoScore? { places.first?.score }

    /// The verdict in words.
    public var sentence: String {
        guard let kept else { return "No photo was scored." }
        guard places.count > 1 else { return "Keep \(kept.photo): the only one that was scored." }
        let near = places.filter(\.isCloseCall).map(\.score.photo)
        guard near.isEmpty else {
            return "Keep \(kept.photo), or \(near.joined(separator: ", ")): too close to tell apart."
        }
        let margin = kept.score - places[1].score.score
        return "Keep \(kept.photo): \(String(format: "%.3f", margin)) ahead of the next of \(places.count)."
    }
}
