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

    /// What they compute float layers in: the CPU float32, the GPU and the Neural Engine perhaps float16.
    public var arithmetic: Arithmetic { self == .cpu ? .float32 : .float16 }
}
