import Foundation

/// Which of the phone's processors a model may use: the user's choice, never changed behind their back.
public enum ComputeUnits: String, Codable, Sendable, CaseIterable, Identifiable {
    case cpu, gpu, npu, all

    public var id: String { rawValue }

    public var title: String {
        switch self {
        case .cpu: "CPU only"
        case .gpu: "CPU and GPU"
        case .npu: "CPU and Neural Engine"
        case .all: "All"
        }
    }

    /// How exact the score is.
    public var arithmetic: Arithmetic { self == .cpu ? .float32 : .mayBeFloat16 }
}

/// What a score's last digits are worth, by the arithmetic that made it.
public enum Arithmetic: String, Codable, Sendable {
    /// The CPU computes a float32 model in float32.
    case float32
    /// The GPU and the Neural Engine may compute in float16.
    case mayBeFloat16

    /// What float16 may cost, in score units. Noise of 0.0025 on every score costs less than 0.001 of rank correlation
    /// with people on the authors' published predictions, 0.015 the whole gain of the KAN head. A wrong picture moves
    /// the demo's golden score by more: 0.015 shifted by a pixel, 0.02 brighter by a level, 15 with red and blue swapped.
    public static let float16Limit = 0.01
    /// What is promised for every file in float32, whatever the machine that exported it measured.
    public static let promisedLimit = 1e-4

    /// How far the golden score may be off.
    public func limit(of parity: Artifact.Parity) -> Double {
        switch self {
        case .float32: max(parity.limit, Self.promisedLimit)
        case .mayBeFloat16: max(parity.limit, Self.float16Limit)
        }
    }

    public var inWords: String {
        switch self {
        case .float32: "float32 on the CPU"
        case .mayBeFloat16: "float16 allowed, on the GPU or Neural Engine"
        }
    }
}
