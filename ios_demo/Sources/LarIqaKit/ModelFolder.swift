import Foundation

/// An export folder inside the app: `lariqa.json`, the golden tile and the artifacts, each checked before it is used.
public struct ModelFolder: Sendable {
    public let url: URL
    public let manifest: Manifest
    /// The rows that Core ML runs and that take a decoded photo.
    public let artifacts: [Artifact]

    /// - Parameters:
    ///   - url: the folder.
    ///   - name: names it in errors.
    /// - Throws: `Refusal`: no manifest, one that this version does not read, or no Core ML file in it.
    public init(_ url: URL, named name: String) throws {
        let path = url.appendingPathComponent(Manifest.fileName)
        guard let data = try? Data(contentsOf: path) else {
            throw Refusal(
                "\(name) holds no \(Manifest.fileName) with artifacts; `lariqa export` makes one, "
                    + "`make ios MODEL_DIR=FOLDER` copies it in")
        }
        manifest = try Manifest(json: data, place: "\(name)/\(Manifest.fileName)")
        artifacts = manifest.artifacts.filter { $0.format == "coreml" && $0.input == "pixels" }
        self.url = url
        guard !artifacts.isEmpty else {
            let listed = manifest.artifacts.map(\.file).joined(separator: ", ")
            throw Refusal(
                "\(name)/\(Manifest.fileName) lists no Core ML file that takes a photo; it lists "
                    + "\(listed.isEmpty ? "nothing" : listed); export with --format coreml --input pixels")
        }
    }

    /// Where a model file is, after its sha256 was compared with the manifest's.
    ///
    /// - Throws: `Refusal`: it is missing, or not the file that was proved.
    public func verified(_ artifact: Artifact) throws -> URL {
        let path = url.appendingPathComponent(artifact.file)
        guard FileManager.default.fileExists(atPath: path.path) else {
            throw Refusal("no model at \(artifact.file); `lariqa export` makes one")
        }
        guard try Sha256.ofArtifact(path) == artifact.sha256 else {
            throw Refusal(
                "\(artifact.file) is not the file that lariqa.json beside it describes (its sha256 differs); "
                    + "export again")
        }
        return path
    }

    /// What the self-test of one file needs; nil-free: where the export has nothing to compare with, the reason.
    ///
    /// - Throws: `Refusal`: the golden tile is missing or not the one that the manifest names.
    public func expectation(of artifact: Artifact, decoder: any PhotoDecoding) throws -> Result<
        SelfTest.Expectation, Refusal
    > {
        guard let golden = manifest.golden else {
            return .failure(Refusal("this export names no golden photo; export again with this toolkit"))
        }
        guard let row = artifact.parity?.photos.first(where: { $0.photo == golden.file }) else {
            return .failure(Refusal("\(artifact.file) has no reference score of \(golden.file); export it again"))
        }
        guard golden.fill == GoldenPhoto.fill else {
            throw Refusal(
                "the golden photo is made by '\(golden.fill)', this version knows '\(GoldenPhoto.fill)'; "
                    + "upgrade the toolkit")
        }
        guard !golden.file.contains("/"), let data = try? Data(contentsOf: url.appendingPathComponent(golden.file))
        else {
            throw Refusal("no golden photo at \(golden.file); copy the export again")
        }
        guard Sha256.of(data) == golden.sha256 else {
            throw Refusal(
                "\(golden.file) is not the file that lariqa.json beside it describes (its sha256 differs); "
                    + "export again")
        }
        let tile = try decoder.photo(from: data, named: golden.file)
        let photo = GoldenPhoto.make(from: tile, size: artifact.photoSize ?? tile.size)
        return .success(SelfTest.Expectation(photo: photo, reference: row.reference))
    }
}
