import Foundation

/// Several photos of one moment, best first: which one to keep, and what may be as good.
///
/// Neighbours in that order whose scores differ by less than the margin, or by nothing, cannot be told apart. Order, groups and
/// sentence are the same on both phones (tests/golden/burst.json).
public struct Burst: Sendable, Equatable {
    public struct Place: Sendable, Equatable, Identifiable {
        public let rank: Int
        public let score: PhotoScore
        public let isKept: Bool
        /// Photos of one group cannot be told apart; the best group is 1.
        public let group: Int

        public var id: String { score.photo }
    }

    public let places: [Place]

    /// - Parameter scores: in the order of the burst; of equal scores the earlier photo's is first.
    public init(_ scores: [PhotoScore]) {
        let ranked = scores.enumerated().sorted {
            ($1.element.score, $0.offset) < ($0.element.score, $1.offset)
        }.map(\.element)
        var group = 0
        places = ranked.enumerated().map { rank, score in
            if rank == 0 || Self.areApart(ranked[rank - 1], score) { group += 1 }
            return Place(rank: rank + 1, score: score, isKept: rank == 0, group: group)
        }
    }

    public var kept: PhotoScore? { places.first?.score }

    /// Names of the photos that cannot be told apart, the best group first.
    public var groups: [[String]] {
        places.reduce(into: []) { groups, place in
            if place.group > groups.count { groups.append([]) }
            groups[place.group - 1].append(place.score.photo)
        }
    }

    /// The one to keep, by how much it leads, and what may be as good.
    public var sentence: String {
        guard let kept else { return "No photo was scored." }
        guard places.count > 1 else { return "Keep \(kept.photo): the only one that was scored." }
        let second = places[1].score
        let leads = "Keep \(kept.photo): it leads \(second.photo) by \(figure(kept.score - second.score))"
        guard let margin = Self.margin(kept, second) else {
            return "\(leads); this export was not compared with PyTorch, so what that means is not known."
        }
        let asGood = groups[0].dropFirst().joined(separator: ", ")
        return asGood.isEmpty
            ? "\(leads); two that differ by less than \(figure(margin)) could not be told apart."
            : "\(leads), but less than \(figure(margin)) cannot be told apart: \(asGood) may be as good."
    }

    private static func areApart(_ better: PhotoScore, _ worse: PhotoScore) -> Bool {
        let lead = better.score - worse.score
        return lead > 0 && lead >= margin(better, worse) ?? 0
    }

    /// Of two photos that were scored on different units, the wider one.
    private static func margin(_ one: PhotoScore, _ other: PhotoScore) -> Double? {
        guard let first = one.margin, let second = other.margin else { return nil }
        return max(first, second)
    }
}
