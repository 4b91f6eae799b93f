import Foundation

/// Tables of auditions, kept between starts, one for each file; and which unit was being tried when the app was ended.
public struct AuditionStore: Sendable {
    private let folder: URL

    /// - Parameter folder: of the app alone; made when needed.
    public init(folder: URL) {
        self.folder = folder
    }

    /// The table of a file; nil where there is none, or one of another app version, system or export.
    public func table(_ key: AuditionKey) -> AuditionTable? {
        guard let data = try? Data(contentsOf: place(key)),
            let table = try? JSONDecoder().decode(AuditionTable.self, from: data), table.key == key
        else { return nil }
        return table
    }

    public func save(_ table: AuditionTable) throws {
        try write(JSONEncoder().encode(table), to: place(table.key))
    }

    /// The next start holds the audition again.
    public func forget(_ key: AuditionKey) {
        try? FileManager.default.removeItem(at: place(key))
        try? FileManager.default.removeItem(at: attempts(key))
    }

    /// Note a unit before it is tried: one that takes the app with it must not do so at every start.
    ///
    /// - Returns: how often before it was begun and not ended, in an app and a system like these.
    func begin(_ units: ComputeUnits, _ key: AuditionKey) -> Int {
        var begun = unfinished(key)
        let before = begun.times[units.rawValue] ?? 0
        begun.times[units.rawValue] = before + 1
        try? write(JSONEncoder().encode(begun), to: attempts(key))
        return before
    }

    /// The unit was tried, whatever came of it.
    func end(_ units: ComputeUnits, _ key: AuditionKey) {
        var begun = unfinished(key)
        begun.times[units.rawValue] = nil
        try? write(JSONEncoder().encode(begun), to: attempts(key))
    }

    private struct Begun: Codable {
        let key: AuditionKey
        var times: [String: Int] = [:]
    }

    private func unfinished(_ key: AuditionKey) -> Begun {
        guard let data = try? Data(contentsOf: attempts(key)),
            let begun = try? JSONDecoder().decode(Begun.self, from: data), begun.key == key
        else { return Begun(key: key) }
        return begun
    }

    private func write(_ data: Data, to url: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try data.write(to: url, options: .atomic)
    }

    private func place(_ key: AuditionKey) -> URL { folder.appendingPathComponent("\(key.sha256).json") }
    private func attempts(_ key: AuditionKey) -> URL { folder.appendingPathComponent("\(key.sha256).begun.json") }
}
