import Foundation

/// One benchmark row, schema `lariqa-measurement/2`: the fields that a phone fills, as docs/schemas/measurement.md names them.
///
/// Rows hold raw facts with the unit in the name of each field. `lariqa bench import rows.jsonl` takes them.
public struct MeasurementRow: Codable, Sendable, Equatable, Identifiable {
    public static let schema = "lariqa-measurement/2"

    public var schema = MeasurementRow.schema
    public var id = UUID().uuidString.lowercased()
    /// Rows that were measured in one run share it: only those are compared as ratios.
    public var report: String
    public var measuredAt: String
    public var measuredBy: String
    public var mode: Mode
    public var subject: Subject
    public var machine: Machine
    public var setting: Setting
    public var latency: Latency?
    public var memory: Memory?
    public var conditions = Conditions()
    public var scores: [Score] = []
    public var work: Work?
    /// What this device's decoder makes of the golden JPEG; nil: not known.
    public var decoder: Decoder?
    /// And of the golden HEIC.
    public var decoderHeic: Decoder?
    /// What makes the figures less than valid, a sentence each.
    public var flags: [String] = []
    /// Why there are no figures, or only some.
    public var error: String?

    public enum Mode: String, Codable, Sendable { case burst, sustained }

    public struct Subject: Codable, Sendable, Equatable {
        public var name: String
        public var role = "artifact"
        public var file: String
        public var sha256: String
        public var checkpointSha256: String
        public var bytes: Int
        public var format: String
        public var precision: String
        public var input: String
        public var syntheticView: String
        public var memory: String
        public var photoWidthPx: Int?
        public var photoHeightPx: Int?
        public var trained: Bool

        /// - Parameter name: unique in a report that gathers rows of several devices and processors.
        public init(_ artifact: Artifact, of manifest: Manifest, name: String) {
            self.name = name
            file = artifact.file
            sha256 = artifact.sha256
            checkpointSha256 = manifest.checkpointSha256
            bytes = artifact.bytes
            format = artifact.format
            precision = artifact.precision
            input = artifact.input
            syntheticView = artifact.syntheticView
            memory = artifact.memory ?? "naive"
            photoWidthPx = artifact.photoWidthPx
            photoHeightPx = artifact.photoHeightPx
            trained = manifest.provenance.trained
        }
    }

    public struct Machine: Codable, Sendable, Equatable {
        public var kind = "phone"
        /// The maker's identifier, for example `iPhone16,1`.
        public var model: String
        public var system: String
        public var cores: Int
        public var memoryMib: Double

        public init(model: String, system: String, cores: Int, memoryMib: Double) {
            self.model = model
            self.system = system
            self.cores = cores
            self.memoryMib = memoryMib
        }
    }

    public struct Setting: Codable, Sendable, Equatable {
        public var runtime: String
        /// Asked for: cpu, gpu, npu or all.
        public var accelerator: String
        /// What actually ran it: processor -> number of operators; nil: unknown.
        public var placement: [String: Int]?
        /// Empty, or what did not run where it was asked for.
        public var fallback: String
    }

    public struct Latency: Codable, Sendable, Equatable {
        public var loadMs: Double?
        public var loadWasCold = false
        public var firstMs: Double?
        public var decodeMs: [Double] = []
        public var preprocessMs: [Double] = []
        public var inferenceMs: [Double] = []
        public var postMs: [Double] = []
        public var cpuMs: [Double] = []
        public var startedS: [Double] = []
    }

    public struct Memory: Codable, Sendable, Equatable {
        public var baselineMib: Double
        public var loadedMib: Double?
        public var peakMib: Double
        public var weightsMib: Double?
        public var inputMib: Double?
        /// Pairs: seconds since the load began, MiB.
        public var curveSMib: [[Double]] = []
    }

    public struct Conditions: Codable, Sendable, Equatable {
        public var thermalStatus = ""
        public var batteryPercent: [Double] = []
        public var onCharger: Bool?
    }

    public struct Score: Codable, Sendable, Equatable {
        public var photo: String
        public var score: Double
        public var reference: Double?
    }

    /// Levels: of 255, this device's pixels against those that Pillow decodes.
    public struct Decoder: Codable, Sendable, Equatable {
        public var library: String
        public var file: String
        public var worstLevels: Int
        public var meanLevels: Double
        /// Of the values that differ at all, 0...1.
        public var differingShare: Double
        /// Of this device's pixels.
        public var score: Double?
        /// Of Pillow's pixels, by the same unit.
        public var scoreOfExpected: Double?
        /// PyTorch's, of Pillow's pixels.
        public var reference: Double?
    }

    public struct Work: Codable, Sendable, Equatable {
        public var macs: Int
    }

    /// One line of JSON, its keys sorted.
    public func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
