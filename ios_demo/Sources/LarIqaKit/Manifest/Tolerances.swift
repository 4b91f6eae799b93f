import Foundation

/// What a model is computed in, from exact to coarse. The manifest has a tolerance for each.
public enum Arithmetic: String, Codable, Sendable, CaseIterable, Comparable {
    case float32, float16, int8

    public static func < (left: Self, right: Self) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }

    public var inWords: String {
        switch self {
        case .float32: "computed in float32"
        case .float16: "computed in float16 where the processor does so"
        case .int8: "computed partly in int8"
        }
    }
}

/// How far the golden photo's score may be from the reference, in score units, by what the device computes in.
public struct Tolerances: Decodable, Sendable, Equatable {
    public let float32: Double
    public let float16: Double
    public let int8: Double

    public init(float32: Double, float16: Double, int8: Double) {
        self.float32 = float32
        self.float16 = float16
        self.int8 = int8
    }

    /// The tolerance for one file.
    ///
    /// - Parameter processor: what the processor computes float layers in. Only a CPU computes them in float32, and there
    ///   the file's own parity limit counts where it is wider.
    public func of(_ artifact: Artifact, on processor: Arithmetic) -> Double {
        switch artifact.arithmetic(on: processor) {
        case .float32: max(float32, artifact.parity?.limit ?? 0)
        case .float16: float16
        case .int8: int8
        }
    }

    /// Why these cannot be used; nil where they can.
    var problem: String? {
        let wrong = [("float32", float32), ("float16", float16), ("int8", int8)].first { !($1.isFinite && $1 > 0) }
        return wrong.map { "the tolerance for \($0) is \($1)" }
    }
}
