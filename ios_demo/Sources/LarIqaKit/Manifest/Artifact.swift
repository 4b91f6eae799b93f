import Foundation

/// One row of `lariqa.json`: one exported file, what it takes, what it gives, how it was proved.
public struct Artifact: Decodable, Sendable, Equatable, Identifiable {
    public let file: String
    public let format: String
    public let precision: String
    /// `views`, `pixels` or `tensors`.
    public let input: String
    /// `crop` or `full`.
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
    /// What each of the phone's units is judged by beside the golden photo; nil in an export of an older toolkit.
    public let audition: [Audition]?

    public var id: String { file }

    /// (width, height) in pixels, or nil where any photo fits.
    public var photoSize: PhotoSize? {
        guard let photoWidthPx, let photoHeightPx else { return nil }
        return PhotoSize(width: photoWidthPx, height: photoHeightPx)
    }

    /// The inputs that can be made of a decoded photo here, best first: views take photos of any size, pixels those of one.
    static let photoInputs = ["views", "pixels"]

    /// Of the pixel buffers that Core ML takes for one photo: four bytes a pixel.
    var bufferBytes: Int { inputs.reduce(0) { $0 + ($1.imageSize?.pixels ?? 0) * 4 } }

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
        /// Below fp32: of the differences, in score units.
        public let sd: Double?
        public let photos: [Photo]

        public struct Photo: Decodable, Sendable, Equatable {
            public let photo: String
            public let reference: Double
            public let score: Double
            /// Of the photo; nil in an older manifest, whose photos have the artifact's size.
            public let widthPx: Int?
            public let heightPx: Int?

            public var size: PhotoSize? {
                guard let widthPx, let heightPx else { return nil }
                return PhotoSize(width: widthPx, height: heightPx)
            }
        }
    }

    /// One picture of the audition, its size in pixels, and what PyTorch gave it.
    public struct Audition: Decodable, Sendable, Equatable {
        public let picture: String
        public let widthPx: Int
        public let heightPx: Int
        public let reference: Double

        public var size: PhotoSize { PhotoSize(width: widthPx, height: heightPx) }
    }

    /// A manifest may come from anywhere, and it says which files beside it are opened.
    func refuseContradictions(_ preprocess: PreprocessSpec) throws {
        let isName = !file.isEmpty && !file.contains("/") && file.contains(".") && !file.hasPrefix(".")
        let shapes = Dictionary(inputs.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
        let sizes = [photoHeightPx, photoWidthPx]
        let takesAnySize = sizes == [nil, nil]
        let views = !shapes.isEmpty && Set(shapes.keys).isSubset(of: PreprocessSpec.views)
        let fits =
            switch input {
            case "views": views && shapes.count == inputs.count && takesAnySize
            case "pixels": shapes == ["image": [1, photoHeightPx ?? -1, photoWidthPx ?? -1, 3]]
            case "tensors": views
            default: false
            }
        guard isName, fits, takesAnySize || photoSize?.isPhoto == true else {
            let size = sizes.map { $0.map(String.init) ?? "None" }.joined(separator: ", ")
            let described = inputs.map { "'\($0.name)': \($0.shapeInWords)" }
            throw Refusal(
                "the row of '\(file)' contradicts itself: input '\(input)', photo size (\(size)), "
                    + "inputs {\(described.joined(separator: ", "))}")
        }
        if Self.photoInputs.contains(input) { try inputs.forEach { try refuseOther($0, preprocess) } }
    }

    /// A photo goes in as bytes, a view of it with the sides that the preprocessing gives it.
    private func refuseOther(_ input: InputSpec, _ preprocess: PreprocessSpec) throws {
        let side = preprocess.sidePx(of: input.name, syntheticView).map { [1, $0, $0, 3] }
        let expected = InputSpec(name: input.name, dtype: "uint8", layout: "NHWC", shape: side ?? input.shape)
        guard input == expected else {
            throw Refusal("the row of '\(file)' has the input \(input.inWords), expected \(expected.inWords)")
        }
    }
}

/// One input tensor of an artifact.
public struct InputSpec: Decodable, Sendable, Equatable {
    public let name: String
    public let dtype: String
    public let layout: String
    public let shape: [Int]

    /// Width and height of an image, whose pixels are bytes; nil where it is no image.
    public var imageSize: PhotoSize? {
        guard dtype == "uint8", layout == "NHWC", shape.count == 4 else { return nil }
        return PhotoSize(width: shape[2], height: shape[1])
    }

    var shapeInWords: String { "(\(shape.map(String.init).joined(separator: ", ")))" }
    var inWords: String { "'\(name)' \(dtype) \(layout) \(shapeInWords)" }
}
