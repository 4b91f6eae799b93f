import Foundation

/// One row of `lariqa.json`: one exported file, what it takes, what it gives, how it was proved.
public struct Artifact: Decodable, Sendable, Equatable, Identifiable {
    public let file: String
    public let format: String
    public let precision: String
    public let input: String
    public let syntheticView: String
    /// The one photo size that it takes; nil: any.
    public let photoWidthPx: Int?
    public let photoHeightPx: Int?
    public let inputs: [InputSpec]
    public let output: String
    public let macs: Int
    /// How it executes; nil: naive.
    public let memory: String?
    public let sha256: String
    public let bytes: Int
    public let status: String
    public let parity: Parity?
    /// Below fp32: what became of each group of layers.
    public let plan: Plan?

    public var id: String { file }

    /// (width, height) in pixels, or nil where any photo fits.
    public var photoSize: PhotoSize? {
        guard let photoWidthPx, let photoHeightPx else { return nil }
        return PhotoSize(width: photoWidthPx, height: photoHeightPx)
    }

    /// What it is computed in on a processor that computes float layers in `processor`: the coarser of that and what
    /// the file itself asks for.
    public func arithmetic(on processor: Arithmetic) -> Arithmetic { max(plan?.arithmetic ?? .float32, processor) }

    /// The part of a plan that determines the arithmetic.
    public struct Plan: Decodable, Sendable, Equatable {
        /// Group of layers -> fp32, fp16, w8 or int8.
        public let weightFormats: [String: String]
        /// What the layers that are not int8 compute in.
        public let compute: Arithmetic

        /// Int8 where any group of layers computes in it.
        var arithmetic: Arithmetic { weightFormats.values.contains(Arithmetic.int8.rawValue) ? .int8 : compute }
    }

    /// The file against the PyTorch reference, as measured where it was exported.
    public struct Parity: Decodable, Sendable, Equatable {
        public let reference: String
        public let runtime: String
        public let limit: Double
        public let worst: Double
        public let photos: [Photo]

        public struct Photo: Decodable, Sendable, Equatable {
            public let photo: String
            public let reference: Double
            public let score: Double
        }
    }

    /// A manifest may come from anywhere, and it says which files beside it are opened.
    func refuseContradictions() throws {
        let isName = !file.isEmpty && !file.contains("/") && file.contains(".") && !file.hasPrefix(".")
        let shapes = Dictionary(inputs.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
        let sizes = [photoHeightPx, photoWidthPx]
        let hasSize = sizes.allSatisfy { ($0 ?? 0) > 0 }
        let fits =
            switch input {
            case "pixels": shapes == ["image": [1, photoHeightPx ?? -1, photoWidthPx ?? -1, 3]]
            case "tensors": !shapes.isEmpty && Set(shapes.keys).isSubset(of: ["authentic", "synthetic"])
            default: false
            }
        guard isName, fits, hasSize || sizes == [nil, nil] else {
            let size = sizes.map { $0.map(String.init) ?? "None" }.joined(separator: ", ")
            let described = inputs.map { "'\($0.name)': (\($0.shape.map(String.init).joined(separator: ", ")))" }
            throw Refusal(
                "the row of '\(file)' contradicts itself: input '\(input)', photo size (\(size)), "
                    + "inputs {\(described.joined(separator: ", "))}")
        }
    }
}

/// One input tensor of an artifact.
public struct InputSpec: Decodable, Sendable, Equatable {
    public let name: String
    public let dtype: String
    public let layout: String
    public let shape: [Int]
}
