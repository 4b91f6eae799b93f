import Foundation

#if canImport(CryptoKit)
    import CryptoKit
#endif

/// sha256 of files and folders, as `lariqa.json` records them.
public enum Sha256 {
    /// Of a file, in hex; read in pieces of a megabyte.
    public static func ofFile(_ url: URL) throws -> String {
        let file = try FileHandle(forReadingFrom: url)
        defer { try? file.close() }
        var hash = Hasher()
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            hash.update(piece)
        }
        return hash.finalise()
    }

    /// Of a file; of a folder (an .mlpackage): of the lines `<sha256>  <relative path>\n` of its files, sorted by path.
    /// What file managers leave in a folder is no part of it.
    public static func ofArtifact(_ url: URL) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
            return try ofFile(url)
        }
        var names: [String] = []
        for name in try FileManager.default.subpathsOfDirectory(atPath: url.path) {
            var isFolder: ObjCBool = false
            let path = url.appendingPathComponent(name).path
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
                !isLitter(name)
            {
                names.append(name)
            }
        }
        // By code points, as Python sorts; Swift orders strings differently.
        names.sort { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        let lines = try names.map { "\(try ofFile(url.appendingPathComponent($0)))  \($0)\n" }
        return of(Data(lines.joined().utf8))
    }

    /// The Python twin is `files_in` in lariqa/digest.py.
    private static func isLitter(_ path: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return [".ds_store", "thumbs.db", "desktop.ini"].contains(name.lowercased()) || name.hasPrefix("._")
    }

    /// Of bytes, in hex.
    public static func of(_ data: Data) -> String {
        var hash = Hasher()
        hash.update(data)
        return hash.finalise()
    }

    #if canImport(CryptoKit)
        private struct Hasher {
            private var hash = CryptoKit.SHA256()

            mutating func update(_ piece: Data) { hash.update(data: piece) }

            mutating func finalise() -> String { hash.finalize().map { String(format: "%02x", $0) }.joined() }
        }
    #else
        private typealias Hasher = PortableSha256
    #endif
}
