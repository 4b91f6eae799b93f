import Foundation

/// Benchmark rows as JSON lines in a file that only grows; what `lariqa bench import` takes.
public struct RowFile: Sendable {
    private let file: LineFile

    public var url: URL { file.url }

    /// - Parameter folder: made when needed.
    public init(folder: URL) {
        file = LineFile(url: folder.appendingPathComponent("rows.jsonl"))
    }

    public func append(_ row: MeasurementRow) throws {
        try file.append(Data(try row.line().utf8))
    }

    /// How many rows there are.
    public func count() -> Int { file.lines().count }

    public func remove() {
        try? FileManager.default.removeItem(at: url)
    }
}
