import Foundation

/// Benchmark rows as JSON lines in a file that only grows; what `lariqa bench --import` takes.
public struct RowFile: Sendable {
    public let url: URL

    /// - Parameter folder: made when needed.
    public init(folder: URL) {
        url = folder.appendingPathComponent("rows.jsonl")
    }

    public func append(_ row: MeasurementRow) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: url.path) {
            try Data().write(to: url)
        }
        let file = try FileHandle(forUpdating: url)
        defer { try? file.close() }
        // The app may have been ended in the middle of a row: the next one begins on a line of its own.
        let end = try file.seekToEnd()
        if end > 0 {
            try file.seek(toOffset: end - 1)
            if try file.read(upToCount: 1) != Data([0x0a]) { try file.write(contentsOf: Data([0x0a])) }
        }
        try file.write(contentsOf: Data((try row.line() + "\n").utf8))
        try file.synchronize()
    }

    /// How many rows there are.
    public func count() -> Int {
        guard let data = try? Data(contentsOf: url) else { return 0 }
        return data.split(separator: 0x0a).count
    }

    public func remove() {
        try? FileManager.default.removeItem(at: url)
    }
}
