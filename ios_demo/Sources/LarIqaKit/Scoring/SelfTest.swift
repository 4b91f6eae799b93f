import Foundation

/// The golden self-test: the bundled golden photo must score on this phone as the manifest says.
///
/// It is also the warm-up run, so it is done at every start and whenever the compute units change.
public enum SelfTest: Sendable, Equatable {
    case passed(Figures)
    case failed(Figures)
    /// The export holds nothing to compare with; the reason is a sentence.
    case notPossible(reason: String)

    public struct Figures: Sendable, Equatable {
        public let score: Double
        public let reference: Double
        public let tolerance: Double
        public let arithmetic: Arithmetic

        public var difference: Double { abs(score - reference) }
    }

    /// What a model file needs for the test: the photo at its size, and the score that PyTorch gave it.
    public struct Expectation: Sendable {
        public let photo: Photo
        public let reference: Double

        public init(photo: Photo, reference: Double) {
            self.photo = photo
            self.reference = reference
        }

        /// A score that is not a number never passes.
        public func judge(_ score: Double, tolerance: Double, _ arithmetic: Arithmetic) -> SelfTest {
            let figures = Figures(score: score, reference: reference, tolerance: tolerance, arithmetic: arithmetic)
            return figures.difference <= figures.tolerance ? .passed(figures) : .failed(figures)
        }
    }

    public var sentence: String {
        switch self {
        case .passed(let figures):
            "Self-test passed: the golden photo scores \(digits(figures.score)) here, \(digits(figures.reference)) in "
                + "PyTorch (difference \(short(figures.difference)), allowed \(short(figures.tolerance)): "
                + "\(figures.arithmetic.inWords))."
        case .failed(let figures):
            "the golden photo scores \(digits(figures.score)) on this phone, expected \(digits(figures.reference)) "
                + "within \(short(figures.tolerance)) (\(figures.arithmetic.inWords)); its scores cannot be trusted: "
                + (figures.arithmetic == .float16
                    ? "choose CPU only, or export again" : "export again, or report this phone and system")
        case .notPossible(let reason):
            "Self-test not possible: \(reason)"
        }
    }

    private func digits(_ score: Double) -> String { String(format: "%.6f", score) }
    private func short(_ number: Double) -> String { String(format: "%.2g", number) }
}
