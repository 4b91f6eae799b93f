// Stand-in for the part of Core ML that the app uses: no model opens, unless a test says which (Tests/StandIns).
// MLModel is not Sendable, as in most SDKs. See Package.swift.
@_exported import CoreVideo
import Foundation

public struct CoreMLIsNotHere: Error {}

/// What tests put in Core ML's place: a file's name, the units -> a model; nil: there is no Core ML. Set once, before
/// anything is opened.
nonisolated(unsafe) public var standInForModels: @Sendable (String, MLComputeUnits) -> MLModel? = { _, _ in nil }

public enum MLComputeUnits: Sendable { case cpuOnly, cpuAndGPU, cpuAndNeuralEngine, all }
open class MLModelConfiguration {
    public init() {}
    open var computeUnits = MLComputeUnits.all
    open var allowLowPrecisionAccumulationOnGPU = false
}

public enum MLFeatureType: Sendable { case invalid, image, multiArray }
open class MLImageConstraint {
    public init() {}
    open var pixelsWide: Int { 0 }
    open var pixelsHigh: Int { 0 }
}
open class MLFeatureDescription {
    public init() {}
    open var type: MLFeatureType { .invalid }
    open var imageConstraint: MLImageConstraint? { nil }
}
open class MLModelDescription {
    public init() {}
    open var inputDescriptionsByName: [String: MLFeatureDescription] { [:] }
    open var outputDescriptionsByName: [String: MLFeatureDescription] { [:] }
}
open class MLMultiArray {
    public init() {}
    open var count: Int { 0 }
    open subscript(index: Int) -> NSNumber { 0 }
}
open class MLFeatureValue {
    public let imageBufferValue: CVPixelBuffer?
    public let multiArrayValue: MLMultiArray?

    public init(pixelBuffer: CVPixelBuffer) { (imageBufferValue, multiArrayValue) = (pixelBuffer, nil) }
    public init(multiArray: MLMultiArray) { (imageBufferValue, multiArrayValue) = (nil, multiArray) }
}
public protocol MLFeatureProvider {
    func featureValue(for name: String) -> MLFeatureValue?
}
open class MLDictionaryFeatureProvider: MLFeatureProvider {
    public let dictionary: [String: MLFeatureValue]

    public init(dictionary: [String: Any]) throws {
        self.dictionary = dictionary.compactMapValues { $0 as? MLFeatureValue }
    }

    open func featureValue(for name: String) -> MLFeatureValue? { dictionary[name] }
}
open class MLModel {
    public init() {}
    /// A compiled model is a folder that holds the name of the file that it was made of.
    open class func compileModel(at url: URL) async throws -> URL {
        guard standInForModels(url.lastPathComponent, .cpuOnly) != nil else { throw CoreMLIsNotHere() }
        let made = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).mlmodelc")
        try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
        try Data(url.lastPathComponent.utf8).write(to: made.appendingPathComponent("name"))
        return made
    }
    open class func load(contentsOf url: URL, configuration: MLModelConfiguration) async throws -> MLModel {
        let name = try String(contentsOf: url.appendingPathComponent("name"), encoding: .utf8)
        guard let model = standInForModels(name, configuration.computeUnits) else { throw CoreMLIsNotHere() }
        return model
    }
    open var modelDescription: MLModelDescription { MLModelDescription() }
    open func prediction(from input: any MLFeatureProvider) async throws -> any MLFeatureProvider {
        throw CoreMLIsNotHere()
    }
}

public struct MLCPUComputeDevice: Sendable {}
public struct MLGPUComputeDevice: Sendable {}
public struct MLNeuralEngineComputeDevice: Sendable {}
public enum MLComputeDevice: Sendable {
    case cpu(MLCPUComputeDevice)
    case gpu(MLGPUComputeDevice)
    case neuralEngine(MLNeuralEngineComputeDevice)
}
public enum MLModelStructure: Sendable {
    case program(Program)
    case unsupported

    public struct Program: Sendable {
        public let functions: [String: Function]
        public struct Function: Sendable { public let block: Block }
        public struct Block: Sendable { public let operations: [Operation] }
        public struct Operation: Sendable { public let blocks: [Block] }
    }
}
public final class MLComputePlan: Sendable {
    public struct DeviceUsage: Sendable { public let preferred: MLComputeDevice }

    public static func load(
        contentsOf url: URL, configuration: MLModelConfiguration
    ) async throws -> MLComputePlan { throw CoreMLIsNotHere() }
    public let modelStructure = MLModelStructure.unsupported
    public func deviceUsage(for operation: MLModelStructure.Program.Operation) -> DeviceUsage? { nil }
}
