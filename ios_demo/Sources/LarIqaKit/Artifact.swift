import Foundation

/// One row of `lariqa.json`: one exported file, what it takes, what it gives, how it was proved.
public struct Artifact: Decodable, Sendable, Equatable, Identifiable {
    public let file: String
    public let format: String
    public let precision: String
    public let contract: String
    public let syntheticView: String
    /// The one photo size that it takes; nil: any.
    public let photoWidthPx: Int?
    public let photoHeightPx: Int?
    public let inputs: [Input]
    public let output: String
    public let macs: Int
    /// How it executes; nil, of an older exporter: naive.
    public let memory: String?
    public let sha256: String
    public let bytes: Int
    public let status: String
    public let parity: Parity?

    public var id: String { file }

    /// (width, height) in pixels, or nil where any photo fits.
    public var photoSize: PhotoSize? {
        guard let photoWidthPx, let photoHeightPx else { return nil }
        return PhotoSize(width: photoWidthPx, height: photoHeightPx)
    }

    public struct Input: Decodable, Sendable, Equatable {
        public let name: String
        public let dtype: String
        public let layout: String
        public let shape: [Int]
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
            switch contract {
            case "pixels": shapes == ["image": [1, photoHeightPx ?? -1, photoWidthPx ?? -1, 3]]
            case "tensors": !shapes.isEmpty && Set(shapes.keys).isSubset(of: ["authentic", "synthetic"])
            default: false
            }
        guard isName, fits, hasSize || sizes == [nil, nil] else {
            let size = sizes.map { $0.map(String.init) ?? "None" }.joined(separator: ", ")
            let described = inputs.map { "'\($0.name)': (\($0.shape.map(String.init).joined(separator: ", ")))" }
            throw Refusal(
                "the row of '\(file)' contradicts itself: contract '\(contract)', photo size (\(size)), "
                    + "inputs {\(described.joined(separator: ", "))}")
        }
    }
}
