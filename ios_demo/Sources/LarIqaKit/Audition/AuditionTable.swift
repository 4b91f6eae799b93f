import Foundation

/// What an audition holds for: after an update of the app or of the system, and for another file, it is held again.
public struct AuditionKey: Codable, Sendable, Equatable {
    public let app: String
    public let system: String
    public let model: String
    public let sha256: String
    /// Of what the scores are judged by: an export may be proved anew around the same file.
    public let references: String
}

/// What became of one unit: its benchmark row, and what it was judged by.
public struct AuditionResult: Codable, Sendable, Equatable, Identifiable {
    public let units: ComputeUnits
    public let arithmetic: Arithmetic
    public let tolerance: Double
    /// Largest |difference| from the reference over all pictures; nil where a score is missing or not finite.
    public let worst: Double?
    public let row: MeasurementRow

    public var id: String { units.id }
    public var isAdmitted: Bool { row.error == nil }
    /// Why it was refused.
    public var refusal: String? { row.error }
    public var firstMs: Double? { row.latency?.firstMs }
    public var medianMs: Double? { Statistics(row.latency?.inferenceMs ?? [])?.p50 }
    /// Of the process while the unit was tried.
    public var peakMib: Double? { row.memory?.peakMib }

    /// Of an admitted unit or a refused one, as far as they are known: `41 ms (first run 2300 ms), off by at most 0.0011`.
    public var figures: String {
        [
            medianMs.map { "\(Self.ms($0)) ms" + (firstMs.map { " (first run \(Self.ms($0)) ms)" } ?? "") },
            worst.map { "off by at most \(figure($0))" }, peakMib.map { "peak \(Int($0)) MiB" },
        ].compactMap { $0 }.joined(separator: ", ")
    }

    /// `CPU and GPU: admitted, ` and its figures; or the reason.
    public var sentence: String {
        "\(units.title): " + (refusal.map { "refused, \($0)" } ?? "admitted, \(figures)")
    }

    static func ms(_ value: Double) -> String { String(format: value < 10 ? "%.1f" : "%.0f", value) }
}

/// The table of one file on this phone.
public struct AuditionTable: Codable, Sendable, Equatable {
    public let key: AuditionKey
    public internal(set) var results: [AuditionResult]
    /// What a reader must know: pictures that this version does not know, an export that names none.
    public let notes: [String]
    /// What this phone's decoder makes of the golden JPEG; nil where the export has none.
    public internal(set) var decoder: DecoderCheck?
    /// And of the golden HEIC.
    public internal(set) var heicDecoder: DecoderCheck?

    /// Of two that take about the same time the one that computes in float32 is used.
    static let tie = 1.05

    /// The fastest admitted unit.
    public var fastest: AuditionResult? {
        let admitted = results.compactMap { row in row.isAdmitted ? row.medianMs.map { (row, $0) } : nil }
        guard let best = admitted.min(by: { $0.1 < $1.1 }) else { return nil }
        let exact = admitted.filter { $0.0.arithmetic == .float32 && $0.1 <= best.1 * Self.tie }
        return (exact.min { $0.1 < $1.1 } ?? best).0
    }

    public func result(of units: ComputeUnits) -> AuditionResult? { results.first { $0.units == units } }
}
