import Foundation

/// One photo's score, and what is needed to judge how exact it is.
public struct PhotoScore: Sendable, Equatable {
    public let photo: String
    public let score: Double
    /// The photo's own size, upright.
    public let size: PhotoSize
    /// The size that the model saw; another one where the photo was resampled.
    public let scoredAt: PhotoSize
    public let run: Run
    public let runtime: String
    public let units: ComputeUnits
    /// What the model was computed in.
    public let arithmetic: Arithmetic
    /// How far the score may be from PyTorch's; nil where the export was not proved.
    public let tolerance: Double?
    /// What two scores of this file on these units must differ by to be told apart; nil where that is not known.
    public internal(set) var margin: Double?
    /// To be shown beside the score: a decoder that is off.
    public internal(set) var caveats: [String]
    /// What the model's branches saw, reduced.
    public let views: PhotoViews?

    public init(
        photo: String, score: Double, size: PhotoSize, scoredAt: PhotoSize, run: Run, runtime: String,
        units: ComputeUnits, arithmetic: Arithmetic, tolerance: Double?, margin: Double? = nil, caveats: [String] = [],
        views: PhotoViews? = nil
    ) {
        self.photo = photo
        self.score = score
        self.size = size
        self.scoredAt = scoredAt
        self.run = run
        self.runtime = runtime
        self.units = units
        self.arithmetic = arithmetic
        self.tolerance = tolerance
        self.margin = margin
        self.caveats = caveats
        self.views = views
    }

    public var wasResampled: Bool { size != scoredAt }

    /// As many digits as the arithmetic is good for.
    public var text: String { String(format: arithmetic == .float32 ? "%.4f" : "%.2f", score) }
}
