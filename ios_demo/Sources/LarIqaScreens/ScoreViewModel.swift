import Foundation
import LarIqaKit
import Observation

/// One photo: chosen, scored, explained.
@MainActor @Observable
public final class ScoreViewModel {
    public enum Phase: Equatable {
        case empty
        case scoring(photo: String)
        case scored(PhotoScore, ScoreMeaning)
        case refused(sentence: String)
    }

    public private(set) var phase = Phase.empty
    private let app: AppViewModel
    private var task: Task<Void, Never>?

    public init(_ app: AppViewModel) {
        self.app = app
    }

    /// Score a photo; one that is still being scored is abandoned.
    public func score(_ photo: PickedPhoto) {
        task?.cancel()
        phase = .scoring(photo: photo.name)
        task = Task {
            let phase = await outcome(of: photo)
            if !Task.isCancelled { self.phase = phase }
        }
    }

    /// For sources that cannot give a photo: the camera, a drop.
    public func refuse(_ refusal: Refusal) {
        task?.cancel()
        phase = .refused(sentence: refusal.sentence)
    }

    public func cancel() {
        task?.cancel()
        phase = .empty
    }

    /// Waits until the photo is scored or refused; for tests.
    func finished() async { await task?.value }

    private func outcome(of photo: PickedPhoto) async -> Phase {
        do {
            let score = try await app.score(photo)
            guard let meaning = app.meaning(of: score) else { return .empty }
            return .scored(score, meaning)
        } catch is CancellationError {
            return .empty
        } catch {
            return .refused(sentence: Refusal.sentence(for: error))
        }
    }
}
