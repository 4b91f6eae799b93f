import Foundation

/// Scores photos with one exported file, on the fastest of the phone's units that computes it right.
///
///     let iqa = try await LarIqa(exportFolder)        // LarIqaApple; sha256, audition, golden check, decoder check
///     let score = try await iqa.score(photo)          // a file's URL, its bytes, or a CGImage
///     print(score.text, score.caveats)
///
/// Photos are scored one after another. The object holds the model's memory until it is closed or released.
public final class LarIqa: Sendable {
    public let folder: ExportFolder
    /// The file that is used.
    public let artifact: Artifact
    /// The unit that is used.
    public let units: ComputeUnits
    /// The golden photo's score on that unit, at this start.
    public let selfTest: SelfTest
    /// What became of every unit; nil where the export has nothing to judge by.
    public let audition: AuditionTable?
    /// What this phone's decoder does to scores; nil where the export has no golden JPEG.
    public let decoderCheck: DecoderCheck?
    /// And to those of HEIC photos; nil where the export has no golden HEIC.
    public let heicDecoderCheck: DecoderCheck?
    /// One benchmark row for each unit that was tried now; empty where the table was kept from before.
    public let rows: [MeasurementRow]
    /// What two scores must differ by to be told apart; nil where the file was not proved.
    public let margin: Double?

    private let session: ScoringSession

    /// Checks the file, auditions the phone's units where that was not done before, loads the model for the fastest one that
    /// was admitted, and scores the golden photo.
    ///
    /// - Parameters:
    ///   - folder: an export.
    ///   - file: one of its artifacts; nil: the first.
    ///   - units: nil: the fastest that the audition admits. One that is asked for is auditioned alone, and must be admitted.
    ///   - report: told what is being done.
    /// - Throws: `Refusal`: a file is missing or not the one that was proved, no unit computes it right, or the golden photo
    ///   scores otherwise than in PyTorch. `CancellationError`.
    public init(
        _ folder: ExportFolder, file: String? = nil, units wanted: ComputeUnits? = nil, on platform: Platform,
        report: @escaping @Sendable (ScoringState) -> Void = { _ in }
    ) async throws {
        report(.preparing)
        guard let artifact = folder.artifacts.first(where: { file == nil || $0.file == file }) else {
            let listed = folder.artifacts.map(\.file).joined(separator: ", ")
            throw Refusal("lariqa.json does not list \(file ?? "a file that this system runs"); it lists \(listed)")
        }
        let session = ScoringSession(folder: { folder }, opener: platform.opener, decoder: platform.decoder)
        let states = session.states
        Task { for await state in states where state != .notLoaded && state != .preparing { report(state) } }
        let found = try await Self.auditioned(artifact, folder, wanted, platform, session, report)
        let units = found.units
        let (kept, golden) = (found.table, folder.manifest.golden)
        let check = try await Self.decoderCheck(golden?.jpeg, kept?.decoder, found, artifact, folder, platform, session)
        let heicCheck = try await Self.decoderCheck(
            golden?.heic, kept?.heicDecoder, found, artifact, folder, platform, session)
        var table = found.table
        if let check { table?.decoder = check }
        if let heicCheck { table?.heicDecoder = heicCheck }
        if let table, table != found.table { try? platform.auditions.save(table) }
        guard let selfTest = await session.selfTest else { throw CancellationError() }
        (self.folder, self.artifact, self.units, self.session) = (folder, artifact, units, session)
        (self.selfTest, audition, decoderCheck, heicDecoderCheck) = (selfTest, table, check, heicCheck)
        rows = found.fresh.map { row in
            var row = row
            (row.decoder, row.decoderHeic) = (check?.figures, heicCheck?.figures)
            return row
        }
        margin = artifact.margin(auditionWorst: units == .cpu ? nil : table?.result(of: units)?.worst)
    }

    /// Score a photo file's bytes.
    ///
    /// - Parameters:
    ///   - data: JPEG, HEIC, PNG, whatever the system decodes.
    ///   - name: as shown to people.
    ///   - fit: resample a photo of another size than the file's one instead of refusing it; most files take any.
    /// - Throws: `Refusal`: no photo, a damaged one, one too small, one that does not fit; `CancellationError`.
    public func score(_ data: Data, named name: String = "Photo", fit: Bool = true) async throws -> PhotoScore {
        var score = try await session.score(data, named: name, fit: fit)
        if let kind = LossyFile.of(data), let sentence = decoderCheck(of: kind)?.sentence {
            score.caveats.append(sentence)
        }
        score.margin = margin
        return score
    }

    /// Score a photo file.
    ///
    /// - Throws: as above, or what the system says of a file that cannot be read.
    public func score(_ photo: URL, fit: Bool = true) async throws -> PhotoScore {
        try await score(Data(contentsOf: photo, options: .mappedIfSafe), named: photo.lastPathComponent, fit: fit)
    }

    /// Score pixels that are decoded already.
    public func score(_ photo: Photo, named name: String = "Photo", fit: Bool = true) async throws -> PhotoScore {
        var score = try await session.score(photo, named: name, fit: fit)
        score.margin = margin
        return score
    }

    /// Release the model; a photo in progress is finished first, later ones are refused.
    public func close() async { await session.unload() }

    /// In an older export the golden JPEG stands for HEIC too.
    private func decoderCheck(of kind: LossyFile) -> DecoderCheck? {
        kind == .heic ? heicDecoderCheck ?? decoderCheck : decoderCheck
    }

    private struct Found {
        let units: ComputeUnits
        let table: AuditionTable?
        let fresh: [MeasurementRow]
    }

    /// The unit to use, its model loaded and tested.
    private static func auditioned(
        _ artifact: Artifact, _ folder: ExportFolder, _ wanted: ComputeUnits?, _ platform: Platform,
        _ session: ScoringSession, _ report: @Sendable (ScoringState) -> Void
    ) async throws -> Found {
        let url = try folder.verified(artifact)
        guard case .success(let set) = try AuditionSet.of(artifact, in: folder, decoder: platform.decoder) else {
            // Nothing to judge by: the CPU, which computes in float32, and the self-test says why it is not possible.
            if let error = await session.load(file: artifact.file, units: wanted ?? .cpu) { throw error }
            return Found(units: wanted ?? .cpu, table: nil, fresh: [])
        }
        let audition = Audition(of: artifact, in: folder, with: set, on: platform)
        let units = (wanted.map { [$0] } ?? ComputeUnits.allCases).map {
            PhoneUnit(units: $0, artifact: artifact, url: url, opener: platform.opener)
        }
        let wasKept = audition.kept != nil
        while true {
            let (table, fresh) = try await audition.hold(units) { report(.auditioning($0)) }
            let chosen = try choice(of: wanted, in: table)
            guard let error = await session.load(file: artifact.file, units: chosen) else {
                return Found(units: chosen, table: table, fresh: fresh)
            }
            // What was admitted at another start fails now: that table is worth nothing.
            audition.forget()
            guard wasKept, fresh.isEmpty, !(error is CancellationError) else { throw error }
        }
    }

    private static func choice(of wanted: ComputeUnits?, in table: AuditionTable) throws -> ComputeUnits {
        if let wanted {
            if let reason = table.result(of: wanted)?.refusal {
                throw Refusal("\(wanted.title) was refused for this file: \(reason); choose other processors")
            }
            return wanted
        }
        guard let fastest = table.fastest else {
            let reasons = table.results.map(\.sentence).joined(separator: "; ")
            throw Refusal("no processor of this phone computes this file right: \(reasons); export again")
        }
        return fastest.units
    }

    private static func decoderCheck(
        _ lossy: Manifest.Lossy?, _ kept: DecoderCheck?, _ found: Found, _ artifact: Artifact, _ folder: ExportFolder,
        _ platform: Platform, _ session: ScoringSession
    ) async throws -> DecoderCheck? {
        if let kept, kept.units == found.units { return kept }
        return try await DecoderCheck.of(
            lossy, artifact, in: folder, decoder: platform.decoder, units: found.units
        ) { photo in
            try await session.score(photo, named: lossy?.file ?? "", fit: true).score
        }
    }
}
