import Foundation

/// A text file that only grows, a line at a time: what was written stays, whenever the app is ended.
struct LineFile: Sendable {
    let url: URL

    /// Add one line; it is on the disk afterwards.
    func append(_ line: Data) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: url.path) {
            try Data().write(to: url)
        }
        let file = try FileHandle(forUpdating: url)
        defer { try? file.close() }
        // The app may have been ended in the middle of a line: the next one begins on its own.
        let end = try file.seekToEnd()
        var addition = line
        if end > 0 {
            try file.seek(toOffset: end - 1)
            if try file.read(upToCount: 1) != Data([0x0a]) { addition = Data([0x0a]) + addition }
        }
        try file.seekToEnd()
        try file.write(contentsOf: addition + Data([0x0a]))
        try file.synchronize()
    }

    /// Its lines; none where there is no file.
    func lines() -> [Data] {
        guard let data = try? Data(contentsOf: url) else { return [] }
        return data.split(separator: 0x0a)
    }
}
