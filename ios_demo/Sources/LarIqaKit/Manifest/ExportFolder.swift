import Foundation

/// An export folder inside the app: `lariqa.json`, the golden tile and the artifacts, each checked before it is used.
public struct ExportFolder: Sendable {
    public let url: URL
    public let manifest: Manifest
    /// The rows that this system runs and whose inputs can be made of a photo: by format, in each those for photos of any
    /// size first.
    public let artifacts: [Artifact]

    /// - Parameters:
    ///   - url: the folder.
    ///   - name: names it in errors.
    ///   - formats: that this system runs, the best first.
    /// - Throws: `Refusal`: no manifest, one that this version does not read, or no file in it that the system runs.
    public init(_ url: URL, named name: String, formats: [String] = ["coreml"]) throws {
        let path = url.appendingPathComponent(Manifest.fileName)
        guard let data = try? Data(contentsOf: path) else {
            throw Refusal(
                "\(name) holds no \(Manifest.fileName) with artifacts; `lariqa export` makes one, "
                    + "`make ios MODEL_DIR=FOLDER` copies it in")
        }
        manifest = try Manifest(json: data, place: "\(name)/\(Manifest.fileName)")
        let spec = manifest.preprocess
        let runnable = manifest.artifacts.filter { row in
            // A view of no one size is made for other runtimes.
            formats.contains(row.format)
                && (row.input == "pixels"
                    || row.inputs.allSatisfy { spec.sidePx(of: $0.name, row.syntheticView) != nil })
        }
        artifacts = formats.flatMap { format in
            Artifact.photoInputs.flatMap { input in runnable.filter { $0.format == format && $0.input == input } }
        }
        self.url = url
        guard !artifacts.isEmpty else {
            let listed = manifest.artifacts.map(\.file).joined(separator: ", ")
            throw Refusal(
                "\(name)/\(Manifest.fileName) lists no Core ML file that takes a photo; it lists "
                    + "\(listed.isEmpty ? "nothing" : listed); export with --format coreml")
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
}
