import Foundation

extension ExportFolder {
    /// What the self-test of one file needs, or the reason where the export has nothing to compare with.
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
