import Foundation

/// What was scored, kept across starts: if iOS ends the app in the middle of a burst, nothing that was scored is lost,
/// and the next start says which photo it was busy with.
public actor Journal {
    public struct Entry: Codable, Sendable, Equatable, Identifiable {
        public let id: UUID
        public let photo: String
        public let score: Double
        public let units: ComputeUnits
        public let scoredAt: Date

        public init(_ score: PhotoScore, at date: Date = .now) {
            id = UUID()
            photo = score.photo
            self.score = score.score
            units = score.units
            scoredAt = date
        }
    }

    private let scores: LineFile
    private let unfinished: URL

    /// - Parameter folder: made if need be; of the app alone.
    public init(folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        scores = LineFile(url: folder.appendingPathComponent("scores.jsonl"))
        unfinished = folder.appendingPathComponent("unfinished.txt")
    }

    /// Note a photo before it is scored.
    public func begin(_ photo: String) throws {
        try Data(photo.utf8).write(to: unfinished, options: .atomic)
    }

    /// Keep its score.
    public func finish(_ entry: Entry) throws {
        try scores.append(try JSONEncoder().encode(entry))
        forget()
    }

    /// The photo is no longer being scored: refused, failed or cancelled.
    public func forget() {
        try? FileManager.default.removeItem(at: unfinished)
    }

    /// All scores so far, the oldest first; a line that was cut off by the end of the app is left out.
    public func entries() -> [Entry] {
        scores.lines().compactMap { try? JSONDecoder().decode(Entry.self, from: $0) }
    }

    /// Once after each start: what the last one left unfinished, as a sentence; nil where all was well.
    public func interruption() -> String? {
        guard let data = try? Data(contentsOf: unfinished) else { return nil }
        forget()
        let count = entries().count
        return "The app was ended while it scored \(String(decoding: data, as: UTF8.self)). "
            + (count == 0 ? "No score was lost." : "Scores kept from before: \(count).")
    }
}
