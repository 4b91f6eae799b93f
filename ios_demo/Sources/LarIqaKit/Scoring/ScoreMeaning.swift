import Foundation

/// A score in plain words: what the number is, what was looked at, and what it does not say.
public struct ScoreMeaning: Sendable, Equatable {
    public let scale: String
    /// To be read before the score: weights that were never trained, a photo that was resampled, a decoder that is
    /// off.
    public let warnings: [String]
    public let views: String
    public let exactness: String
    public let doesNotSay: String
    /// Where the score lies on the scale, 0...1, for a gauge.
    public let position: Double

    public init(_ score: PhotoScore, manifest: Manifest, artifact: Artifact) {
        let low = manifest.score.nominalRange.first ?? 0
        let high = manifest.score.nominalRange.last ?? 1
        position = high > low ? min(max((score.score - low) / (high - low), 0), 1) : 0
        let better = manifest.score.higherIs == "better" ? "higher is better" : "higher is \(manifest.score.higherIs)"
        scale = "\(score.text) on a scale of about \(Self.plain(low)) to \(Self.plain(high)), \(better)."

        var warnings: [String] = []
        if !manifest.provenance.trained { warnings.append(manifest.score.meaning) }
        if score.wasResampled {
            warnings.append(
                "The photo is \(score.size) px and was resampled to \(score.scoredAt): resampling hides noise and blur, "
                    + "so the score is that of another picture.")
        }
        if score.score < low || score.score > high {
            warnings.append(
                "The score lies outside the usual range; the photo may be unlike any the model learned from.")
        }
        self.warnings = warnings + score.caveats

        let looks = Self.looks(score.scoredAt, manifest.preprocess, artifact)
        views =
            looks.count == 2
            ? "The model looked twice: at \(looks[0]), and at \(looks[1])." : "The model looked at \(looks.joined())."

        exactness =
            score.tolerance.map {
                "Within \(String(format: "%.2g", $0)) of PyTorch's score, \(score.arithmetic.inWords)."
            } ?? "This export was not compared with PyTorch."
        doesNotSay =
            (manifest.provenance.trained ? "It is \(manifest.score.meaning): how good the photo looks. " : "")
            + "It does not say whether the moment, the people or the subject are worth keeping."
    }

    /// What each branch saw of a photo of this size.
    private static func looks(_ size: PhotoSize, _ spec: PreprocessSpec, _ artifact: Artifact) -> [String] {
        // A file that takes the photo itself does not say which branches it has: both, as a rule.
        let names = artifact.input == "views" ? Set(artifact.inputs.map(\.name)) : PreprocessSpec.views
        let (side, crop) = (spec.authenticSidePx, spec.syntheticCropPx)
        let seesAll = artifact.syntheticView == "full" || max(size.width, size.height) <= crop
        let middle = PhotoSize(width: min(size.width, crop), height: min(size.height, crop))
        return [
            names.contains("authentic") ? "the whole photo, scaled to \(side)x\(side)" : nil,
            names.contains("synthetic")
                ? (seesAll ? "every pixel at full resolution" : "the middle \(middle) px at full resolution") : nil,
        ].compactMap { $0 }
    }

    private static func plain(_ number: Double) -> String { JSONValue.number(number).inWords }
}
