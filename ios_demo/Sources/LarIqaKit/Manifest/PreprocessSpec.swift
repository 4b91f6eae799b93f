import Foundation

/// How a decoded photo becomes the model's two views. Data for this code, which holds no number of its own.
///
/// For a file with the `views` input the app makes the views. With the `pixels` input the file does all of it itself, and
/// the app makes them only to show what the model sees.
public struct PreprocessSpec: Sendable, Equatable {
    /// The backbones halve the picture five times: below this nothing of the photo is left to judge.
    public static let minSidePx = 32

    /// What the model's branches see of a photo.
    static let views: Set = ["authentic", "synthetic"]

    public let authenticSidePx: Int
    public let syntheticView: String
    public let syntheticCropPx: Int

    /// Side of a view, which is a square; nil where it has the photo's own size, or where there is no such view.
    ///
    /// - Parameter syntheticView: `crop` or `full`, as the artifact's row says.
    func sidePx(of view: String, _ syntheticView: String) -> Int? {
        switch (view, syntheticView) {
        case ("authentic", _): authenticSidePx
        case ("synthetic", "crop"): syntheticCropPx
        default: nil
        }
    }

    /// - Throws: `Refusal`: a key is missing, or says something that this code does not implement.
    init(json: [String: JSONValue]) throws {
        let implemented: [String: JSONValue] = [
            "resize": .string("pillow-bilinear-antialias-width-first"),
            "crop": .string("torchvision-center-crop"),
            "crop_fill_rgb": .array([.number(0), .number(0), .number(0)]),
            "channel_order": .string("RGB"),
        ]
        for key in ["authentic_side_px", "synthetic_view", "synthetic_crop_px", "mean", "std"] where json[key] == nil {
            let names = json.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
            throw Refusal("the preprocessing spec has no '\(key)'; it has [\(names)]")
        }
        let ours: Set = ["authentic_side_px", "synthetic_view", "synthetic_crop_px", "mean", "std"]
        let unknown = json.filter { !ours.contains($0.key) && implemented[$0.key] != $0.value }
        guard unknown.isEmpty else {
            throw Refusal(
                "the preprocessing spec says \(JSONValue.object(unknown).inWords), which this version does not do; "
                    + "upgrade the toolkit")
        }
        authenticSidePx = try Self.side("authentic_side_px", json)
        syntheticCropPx = try Self.side("synthetic_crop_px", json)
        guard case .string(let view)? = json["synthetic_view"], ["crop", "full"].contains(view) else {
            let came = json["synthetic_view"] ?? .null
            throw Refusal("synthetic_view is \(came.inWords); it must be one of ('crop', 'full')")
        }
        syntheticView = view
    }

    private static func side(_ key: String, _ json: [String: JSONValue]) throws -> Int {
        guard case .number(let number)? = json[key], let side = Int(exactly: number), side >= minSidePx else {
            throw Refusal("\(key) is \((json[key] ?? .null).inWords); it must be a whole number >= \(minSidePx)")
        }
        return side
    }
}
