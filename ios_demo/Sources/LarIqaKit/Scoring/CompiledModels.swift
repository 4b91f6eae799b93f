import Foundation

/// Compiled models, kept between starts: compiling takes seconds. One folder, one model per sha256 and system version;
/// a file that was exported again, or a new iOS, is compiled again, and stale ones are removed.
public struct CompiledModels: Sendable {
    private let folder: URL
    private let system: String

    /// - Parameters:
    ///   - folder: of the app's caches, which iOS may empty; made when needed.
    ///   - system: of the operating system; Core ML requires a new compilation after each update.
    public init(folder: URL, system: String) {
        self.folder = folder
        self.system = system.map { $0.isLetter || $0.isNumber || $0 == "." ? String($0) : "_" }.joined()
    }

    public func holds(_ artifact: Artifact) -> Bool {
        FileManager.default.fileExists(atPath: place(of: artifact).path)
    }

    /// Where the compiled model is.
    ///
    /// - Parameter compile: makes one somewhere temporary; called only where none is kept.
    public func url(for artifact: Artifact, compile: () async throws -> URL) async throws -> URL {
        let place = place(of: artifact)
        if holds(artifact) { return place }
        let made = try await compile()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for stale in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where stale.hasPrefix(artifact.sha256) || !stale.hasSuffix(suffix) {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(stale))
        }
        // A move within one volume: the model is there whole or not at all.
        try FileManager.default.moveItem(at: made, to: place)
        return place
    }

    /// Forget one that does not load: it was cut off, or its system changed.
    public func remove(_ artifact: Artifact) {
        try? FileManager.default.removeItem(at: place(of: artifact))
    }

    private var suffix: String { "-\(system).mlmodelc" }

    private func place(of artifact: Artifact) -> URL {
        folder.appendingPathComponent(artifact.sha256 + suffix, isDirectory: true)
    }
}
