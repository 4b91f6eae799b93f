import Foundation
import LarIqaKit

/// A photo that somebody chose: a file that is read when its turn comes, or pixels from the camera.
public struct PickedPhoto: Identifiable, Sendable {
    public enum Source: Sendable {
        case file(@Sendable () async throws -> Data)
        case pixels(Photo)
    }

    public let id: UUID
    public let name: String
    let source: Source

    public init(name: String, source: Source) {
        id = UUID()
        self.name = name
        self.source = source
    }

    /// A file somewhere on the device, perhaps of another app.
    public init(url: URL) {
        self.init(name: url.lastPathComponent, source: .file { try Self.read(url) })
    }

    private static func read(_ url: URL) throws -> Data {
        let isForeign = url.startAccessingSecurityScopedResource()
        defer { if isForeign { url.stopAccessingSecurityScopedResource() } }
        return try Data(contentsOf: url, options: .mappedIfSafe)
    }

    func score(with iqa: LarIqa, fit: Bool) async throws -> PhotoScore {
        switch source {
        case .file(let load): try await iqa.score(try await load(), named: name, fit: fit)
        case .pixels(let photo): try await iqa.score(photo, named: name, fit: fit)
        }
    }
}
