// Stand-in for the part of Core AI that the app uses, as Apple documents it: no model opens. A test may make a function of
// its own (CoreAIRunnerTests). See Package.swift.
import Foundation

public struct CoreAIIsNotHere: Error {}

public enum ComputeUnitKind: Sendable { case cpu, gpu, neuralEngine }

public struct SpecializationOptions: Sendable {
    public static let `default` = SpecializationOptions()
    public static let cpuOnly = SpecializationOptions(preferredComputeUnitKind: .cpu)
    public let preferredComputeUnitKind: ComputeUnitKind?

    init() { preferredComputeUnitKind = nil }
    public init(preferredComputeUnitKind: ComputeUnitKind) { self.preferredComputeUnitKind = preferredComputeUnitKind }
}

public struct NDArray: Sendable {
    public enum ScalarType: Sendable { case uint8, float32 }
    public struct RawView: Sendable {
        let bytes: Data

        public func withUnsafeBytes<T>(_ body: (UnsafeRawPointer, [Int], [Int]) throws -> T) rethrows -> T {
            let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
            defer { copy.deallocate() }
            bytes.copyBytes(to: UnsafeMutableRawBufferPointer(start: copy, count: bytes.count))
            return try body(UnsafeRawPointer(copy), [], [])
        }
    }

    public let shape: [Int]
    public let bytes: Data

    public init<Scalar: BitwiseCopyable>(scalars: some Sequence<Scalar>, shape: [Int]) {
        self.shape = shape
        bytes = Array(scalars).withUnsafeBytes { Data($0) }
    }

    public func rawView() -> RawView { RawView(bytes: bytes) }
}

public struct NDArrayDescriptor: Sendable {
    public let shape: [Int]
    public let scalarType: NDArray.ScalarType

    public init(shape: [Int], scalarType: NDArray.ScalarType) {
        self.shape = shape
        self.scalarType = scalarType
    }
}

public struct InferenceValue: ~Copyable {
    public enum Descriptor: Sendable {
        case ndArray(NDArrayDescriptor)
        case image
    }
    public let ndArray: NDArray?
}

public struct InferenceFunctionDescriptor: Sendable {
    let inputs: [String: InferenceValue.Descriptor]
    public let outputNames: [String]

    public init(inputs: [String: InferenceValue.Descriptor], outputNames: [String]) {
        self.inputs = inputs
        self.outputNames = outputNames
    }

    public var inputNames: [String] { Array(inputs.keys) }
    public func inputDescriptor(of name: String) -> InferenceValue.Descriptor? { inputs[name] }
}

public struct InferenceFunction: Sendable {
    public struct Outputs: ~Copyable {
        var arrays: [String: NDArray]

        public mutating func remove(_ name: String) -> InferenceValue? {
            arrays.removeValue(forKey: name).map { InferenceValue(ndArray: $0) }
        }
    }

    public let descriptor: InferenceFunctionDescriptor
    private let running: @Sendable ([String: NDArray]) -> [String: NDArray]

    /// Not Apple's: a test's own function.
    public init(
        _ descriptor: InferenceFunctionDescriptor, running: @escaping @Sendable ([String: NDArray]) -> [String: NDArray]
    ) {
        self.descriptor = descriptor
        self.running = running
    }

    public func run(inputs: [String: NDArray]) async throws -> Outputs { Outputs(arrays: running(inputs)) }
}

public struct AIModel: Sendable {
    public init(contentsOf url: URL, options: SpecializationOptions = .default) async throws { throw CoreAIIsNotHere() }
    public func loadFunction(named name: String) throws -> InferenceFunction? { throw CoreAIIsNotHere() }
}
