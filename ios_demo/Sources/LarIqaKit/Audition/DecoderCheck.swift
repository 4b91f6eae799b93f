import Foundation

/// What this phone's decoder makes of a golden JPEG or HEIC, of which the pixels that Pillow decodes are known, and what the
/// difference does to that picture's score.
public struct DecoderCheck: Codable, Sendable, Equatable {
    /// As a row has them; nil where the check was not possible.
    public let figures: MeasurementRow.Decoder?
    /// |score of this phone's pixels - score of Pillow's|, both on the unit that scores here.
    public let effect: Double?
    /// How far a decoder may move a score without being named: what float32 may differ by.
    public let tolerance: Double
    /// The unit that scored both.
    public let units: ComputeUnits
    /// Why the check was not possible.
    public let problem: String?

    /// To be shown beside the score of every photo from such a file; nil where the decoder agrees.
    public var sentence: String? {
        if let problem {
            return "This phone's decoder could not be compared with the reference's: \(problem)."
        }
        guard let figures, let effect, effect > tolerance else { return nil }
        return "This phone's decoder (\(figures.library)) is off by up to \(figures.worstLevels) levels on "
            + "\(figures.file), which moves that picture's score by \(figure(effect)): this score may be off as much."
    }

    /// Of the check itself, whatever came of it.
    public var summary: String {
        if let sentence { return sentence }
        guard let figures else { return "" }
        return figures.worstLevels == 0
            ? "Decoder: \(figures.library) gives \(figures.file) the reference's pixels, byte for byte."
            : "Decoder: \(figures.library) is off by up to \(figures.worstLevels) levels on \(figures.file), which moves its "
                + "score by \(figure(effect ?? 0)): less than matters."
    }

    /// Decodes a golden file as a photo is decoded, and scores what differs.
    ///
    /// - Parameters:
    ///   - lossy: of the export; nil: it has none.
    ///   - artifact: the loaded file.
    ///   - score: of a photo, on the unit that is used.
    /// - Returns: nil where the export has no such file.
    static func of(
        _ lossy: Manifest.Lossy?, _ artifact: Artifact, in folder: ExportFolder, decoder: any PhotoDecoding,
        units: ComputeUnits, score: (Photo) async throws -> Double
    ) async throws -> DecoderCheck? {
        guard let lossy else { return nil }
        let row = artifact.audition?.first { $0.picture == lossy.file && $0.size.isPhoto }
        let tolerance = folder.manifest.tolerances.float32
        do {
            let expected = try decoder.photo(
                from: folder.goldenFile(lossy.pixelsFile, lossy.pixelsSha256), named: lossy.pixelsFile)
            let own = try decoder.photo(from: folder.goldenFile(lossy.file, lossy.sha256), named: lossy.file)
            let levels = try Levels(own, against: expected)
            // Where there is no reference score of it, the two scores still tell what the difference does.
            let size = row?.size ?? (try? folder.goldenReference(of: artifact).get().size) ?? expected.size
            let right = try await score(GoldenPhoto.make(from: expected, size: size))
            let given = levels.worst == 0 ? right : try await score(GoldenPhoto.make(from: own, size: size))
            let figures = MeasurementRow.Decoder(
                library: decoder.library, file: lossy.file, worstLevels: levels.worst, meanLevels: levels.mean,
                differingShare: levels.differingShare, score: given, scoreOfExpected: right, reference: row?.reference)
            return DecoderCheck(
                figures: figures, effect: abs(given - right), tolerance: tolerance, units: units, problem: nil)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return DecoderCheck(
                figures: nil, effect: nil, tolerance: tolerance, units: units, problem: Refusal.sentence(for: error))
        }
    }
}
