import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "The views of a photo of any size are Pillow's and torchvision's, byte for byte",
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct ViewsTests {
    /// tests/golden/views.json
    struct Pack: Decodable {
        let schema: String
        let fill: String
        let photos: [Row]

        struct Row: Decodable {
            let width: Int
            let height: Int
            let photo: String
            let authentic: String
            let synthetic: String
        }
    }

    @Test("Golden photos of odd and extreme sizes, up to 48 megapixels")
    func goldenViews() throws {
        let pack = try Vectors.read("views", as: Pack.self)
        #expect(pack.schema == "lariqa-golden-views/1" && pack.fill == GoldenPhoto.fill && pack.photos.count >= 6)
        let (tile, spec, artifact) = (try Vectors.photo("tile"), try Self.fullSpec(), Self.artifact())
        for row in pack.photos {
            let photo = GoldenPhoto.make(from: tile, size: PhotoSize(width: row.width, height: row.height))
            #expect(Sha256.of(Data(photo.rgb)) == row.photo, "\(photo.size)")
            let inputs = try ModelInputs(of: photo, for: artifact, spec, fit: false)
            let sha256 = inputs.images.mapValues { Sha256.of(Data($0.rgb)) }
            #expect(sha256 == ["authentic": row.authentic, "synthetic": row.synthetic], "\(photo.size)")
            #expect(inputs.size == photo.size && inputs.scoredAt == photo.size)
        }
    }

    @Test("The inputs of a mixed folder are Python's, for a file that takes views and for one that takes pixels")
    func mixedFolder() throws {
        let spec = try ExportFolder(Vectors.tinyExport(), named: "export").manifest.preprocess
        for input in ["views", "pixels"] {
            let artifact = try Vectors.artifact(input)
            for row in try Vectors.scores(input) where row.photo != Vectors.golden {
                let photo = try Vectors.photo(row.photo)
                #expect(photo.size == row.size)
                let inputs = try ModelInputs(of: photo, for: artifact, spec, fit: false)
                #expect(inputs.images.mapValues { Sha256.of(Data($0.rgb)) } == row.inputs, "\(input) of \(row.photo)")
            }
        }
    }

    @Test("A model with one branch gets its view alone, and nothing else is shown")
    func oneBranch() throws {
        let (photo, spec) = (try Vectors.photo("403x302 original"), try Self.fullSpec())
        for (name, side) in [("authentic", 384), ("synthetic", 1280)] {
            let artifact = Self.artifact([name: side])
            let inputs = try ModelInputs(of: photo, for: artifact, spec, fit: false)
            #expect(inputs.images.mapValues(\.size) == [name: PhotoSize(width: side, height: side)])
            let shown = PhotoViews(of: inputs, artifact, spec)
            #expect((shown.authentic != nil) == (name == "authentic"))
            #expect((shown.synthetic != nil) == (name == "synthetic"))
        }
    }

    @Test("What is shown is what the model was given: the views themselves, the large one reduced")
    func shown() throws {
        let (photo, spec) = (try Vectors.photo("403x302 original"), try Self.fullSpec())
        let inputs = try ModelInputs(of: photo, for: Self.artifact(), spec, fit: false)
        let shown = PhotoViews(of: inputs, Self.artifact(), spec)
        #expect(shown.authentic == inputs.images["authentic"])
        let small = PhotoSize(width: 384, height: 384)
        #expect(shown.synthetic == inputs.images["synthetic"]?.resized(to: small))
    }

    private static func fullSpec() throws -> PreprocessSpec {
        try PreprocessSpec(json: [
            "authentic_side_px": .number(384), "synthetic_crop_px": .number(1280), "synthetic_view": .string("crop"),
            "mean": .array([]), "std": .array([]),
        ])
    }

    /// - Parameter sides: name of a view -> its side.
    private static func artifact(_ sides: [String: Int] = ["authentic": 384, "synthetic": 1280]) -> Artifact {
        Artifact(
            file: "a.mlpackage", format: "coreml", precision: "fp32", input: "views", syntheticView: "crop",
            photoWidthPx: nil, photoHeightPx: nil,
            inputs: sides.map { InputSpec(name: $0, dtype: "uint8", layout: "NHWC", shape: [1, $1, $1, 3]) },
            output: "score", macs: 1, memory: nil, sha256: "", bytes: 1, status: "converted", parity: nil, plan: nil,
            audition: nil)
    }
}
