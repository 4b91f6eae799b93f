import Foundation

/// One photo file of a benchmark: the user's, or the golden tile, which stands for a photo of the size of its reference.
public struct BenchmarkPhoto: Sendable {
    public let name: String
    public let data: Data
    /// Nil: the file is a photo.
    public let golden: GoldenReference?

    public init(name: String, data: Data, golden: GoldenReference? = nil) {
        self.name = name
        self.data = data
        self.golden = golden
    }

    /// The golden photo of an export, for a benchmark without the user's own photos; nil where the export has none.
    public static func golden(of artifact: Artifact, in folder: ExportFolder) -> BenchmarkPhoto? {
        guard case .success(let reference) = folder.goldenReference(of: artifact),
            !reference.golden.file.contains("/"),
            let data = try? Data(contentsOf: folder.url.appendingPathComponent(reference.golden.file))
        else { return nil }
        return BenchmarkPhoto(name: reference.golden.file, data: data, golden: reference)
    }

    /// Its pixels. Repeating the tile counts as decoding.
    func decoded(by decoder: any PhotoDecoding) throws -> Photo {
        let pixels = try decoder.photo(from: data, named: name)
        return golden.map { GoldenPhoto.make(from: pixels, size: $0.size) } ?? pixels
    }

    /// What a reader must know of the figures; nil for a photo of the user's.
    func flag(for artifact: Artifact) -> String? {
        golden.map {
            "decode_ms is that of the small golden tile, not of a \($0.size) photo file"
                + (artifact.photoSize == nil ? "; both it and preprocess_ms grow with a photo's size" : "")
        }
    }
}
