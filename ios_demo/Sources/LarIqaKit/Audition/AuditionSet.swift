import Foundation

/// What a file's units are judged by: the golden photo and the audition's pictures, as the file's inputs.
struct AuditionSet: Sendable {
    struct Picture: Sendable {
        let name: String
        let inputs: ModelInputs
        let reference: Double
    }

    /// The golden photo first.
    let pictures: [Picture]
    /// What was left out, a sentence each.
    let notes: [String]

    /// - Returns: the reason where the export has nothing to judge by.
    /// - Throws: `Refusal`: a file of the golden set is missing or another one.
    static func of(
        _ artifact: Artifact, in folder: ExportFolder, decoder: any PhotoDecoding
    ) throws -> Result<AuditionSet, Refusal> {
        let reference: GoldenReference
        switch folder.goldenReference(of: artifact) {
        case .success(let found): reference = found
        case .failure(let reason): return .failure(reason)
        }
        let spec = folder.manifest.preprocess
        let tile = try folder.tile(of: reference.golden, decoder)
        let golden = GoldenPhoto.make(from: tile, size: reference.size)
        var pictures = [
            Picture(
                name: reference.golden.file, inputs: try ModelInputs(of: golden, for: artifact, spec, fit: false),
                reference: reference.score)
        ]
        var unknown: [String] = []
        for row in artifact.audition ?? [] {
            guard row.size.isPhoto else {
                throw Refusal(
                    "lariqa.json gives the audition's '\(row.picture)' a size that no photo has; export again")
            }
            guard let photo = try picture(row, tile, folder, decoder) else {
                unknown.append(row.picture)
                continue
            }
            let inputs = try ModelInputs(of: photo, for: artifact, spec, fit: false)
            pictures.append(Picture(name: row.picture, inputs: inputs, reference: row.reference))
        }
        return .success(AuditionSet(pictures: pictures, notes: notes(artifact, unknown)))
    }

    private static func picture(
        _ row: Artifact.Audition, _ tile: Photo, _ folder: ExportFolder, _ decoder: any PhotoDecoding
    ) throws -> Photo? {
        let golden = folder.manifest.golden
        let files = [golden?.jpeg, golden?.heic].compactMap { $0 }
        guard let lossy = files.first(where: { $0.file == row.picture }) else {
            let isKnown = golden?.generator == AuditionPictures.generator
            return isKnown ? AuditionPictures.make(row.picture, from: tile, size: row.size) : nil
        }
        let pixels = try decoder.photo(
            from: folder.goldenFile(lossy.pixelsFile, lossy.pixelsSha256), named: lossy.pixelsFile)
        return GoldenPhoto.make(from: pixels, size: row.size)
    }

    private static func notes(_ artifact: Artifact, _ unknown: [String]) -> [String] {
        guard artifact.audition?.isEmpty == false else {
            return ["the export has no audition pictures: judged by the golden photo alone; export again"]
        }
        guard !unknown.isEmpty else { return [] }
        return ["audition pictures that this version does not know were left out: \(unknown.joined(separator: ", "))"]
    }
}
