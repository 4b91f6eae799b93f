import Foundation
import LarIqaKit
import Observation

/// Several photos of one moment: scored one after another, the best one marked.
@MainActor @Observable
public final class BurstViewModel {
    public struct Refused: Identifiable, Equatable {
        public let id: UUID
        public let photo: String
        public let sentence: String
    }

    /// Photos that cannot be told apart, or one alone.
    public struct Group: Identifiable, Equatable {
        public let id: Int
        public let title: String
        public let places: [Burst.Place]
    }

    public private(set) var isScoring = false
    public private(set) var done = 0
    public private(set) var count = 0
    public private(set) var current: String?
    /// Grows while photos are scored; what was scored stays when the rest is cancelled.
    public private(set) var burst = Burst([])
    public private(set) var refused: [Refused] = []
    private let app: AppViewModel
    private var task: Task<Void, Never>?

    public init(_ app: AppViewModel) {
        self.app = app
    }

    public var fraction: Double { count == 0 ? 0 : Double(done) / Double(count) }

    /// The best first.
    public var groups: [Group] {
        let grouped = Dictionary(grouping: burst.places, by: \.group)
        return grouped.keys.sorted().map { number in
            let places = grouped[number] ?? []
            let title = places.count > 1 ? "Cannot be told apart" : number == 1 ? "Best" : "Place \(places[0].rank)"
            return Group(id: number, title: title, places: places)
        }
    }

    /// The verdict, once all photos are done or the rest was cancelled.
    public var verdict: String? { isScoring || done == 0 ? nil : burst.sentence }

    public func score(_ photos: [PickedPhoto]) {
        task?.cancel()
        (done, count, isScoring, current) = (0, photos.count, true, nil)
        (burst, refused) = (Burst([]), [])
        task = Task { await scoreAll(photos) }
    }

    public func cancel() {
        task?.cancel()
        isScoring = false
        current = nil
    }

    /// Waits until the last photo is done; for tests.
    func finished() async { await task?.value }

    private func scoreAll(_ photos: [PickedPhoto]) async {
        var scores: [PhotoScore] = []
        for photo in photos {
            guard !Task.isCancelled else { return }
            current = photo.name
            do {
                let score = try await app.score(photo)
                guard !Task.isCancelled else { return }
                scores.append(score)
                burst = Burst(scores)
            } catch is CancellationError {
                return
            } catch {
                guard !Task.isCancelled else { return }
                refused.append(Refused(id: photo.id, photo: photo.name, sentence: Refusal.sentence(for: error)))
            }
            done += 1
        }
        isScoring = false
        current = nil
    }
}
