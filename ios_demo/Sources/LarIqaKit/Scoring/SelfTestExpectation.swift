import Foundation

/// What PyTorch gave the golden photo, and the size at which that photo is made.
public struct GoldenReference: Sendable, Equatable {
    public let golden: Manifest.Golden
    public let score: Double
    public let size: PhotoSize
}

extension ExportFolder {
    /// The reference score of one file, or the reason where the export has none.
    public func goldenReference(of artifact: Artifact) -> Result<GoldenReference, Refusal> {
        guard let golden = manifest.golden else {
            return .failure(Refusal("this export names no golden photo; export again with this toolkit"))
        }
        guard let row = artifact.parity?.photos.first(where: { $0.photo == golden.file }) else {
            return .failure(Refusal("\(artifact.file) has no reference score of \(golden.file); export it again"))
        }
        guard let size = row.size ?? artifact.photoSize, size.isPhoto else {
            return .failure(
                Refusal(
                    "\(artifact.file) takes photos of any size, and lariqa.json does not say of which its reference "
                        + "score of \(golden.file) is; export it again"))
        }
        return .success(GoldenReference(golden: golden, score: row.reference, size: size))
    }

    /// What the self-test of one file needs, or the reason where the export has nothing to compare with.
    ///
    /// - Throws: `Refusal`: the golden tile is missing or not the one that the manifest names.
    public func expectation(of artifact: Artifact, decoder: any PhotoDecoding) throws -> Result<
        SelfTest.Expectation, Refusal
    > {
        switch goldenReference(of: artifact) {
        case .success(let reference):
            let photo = GoldenPhoto.make(from: try tile(of: reference.golden, decoder), size: reference.size)
            return .success(SelfTest.Expectation(photo: photo, reference: reference.score))
        case .failure(let reason):
            return .failure(reason)
        }
    }

    /// The golden tile's pixels.
    ///
    /// - Throws: `Refusal`: it is missing, or not the one that the manifest names.
    func tile(of golden: Manifest.Golden, _ decoder: any PhotoDecoding) throws -> Photo {
        guard golden.fill == GoldenPhoto.fill else {
            throw Refusal(
                "the golden photo is made by '\(golden.fill)', this version knows '\(GoldenPhoto.fill)'; "
                    + "upgrade the toolkit")
        }
        return try decoder.photo(from: goldenFile(golden.file, golden.sha256), named: golden.file)
    }

    /// A file of the golden set, the one that was proved.
    func goldenFile(_ name: String, _ sha256: String) throws -> Data {
        guard !name.contains("/"), let data = try? Data(contentsOf: url.appendingPathComponent(name)) else {
            throw Refusal("no golden photo at \(name); copy the export again")
        }
        guard Sha256.of(data) == sha256 else {
            throw Refusal(
                "\(name) is not the file that lariqa.json beside it describes (its sha256 differs); export again")
        }
        return data
    }
}
