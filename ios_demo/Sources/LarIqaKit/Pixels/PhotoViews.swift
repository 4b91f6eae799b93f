import Foundation

/// What the model's branches saw, at the size of a thumbnail, for showing beside the score.
public struct PhotoViews: Sendable, Equatable {
    /// Nil where the model has no branch for it.
    public let authentic: Photo?
    public let synthetic: Photo?

    /// The views that the model was given; for a file that makes them itself they are made here, of its photo.
    init(of inputs: ModelInputs, _ artifact: Artifact, _ spec: PreprocessSpec) {
        func view(_ name: String) -> Photo? {
            inputs.images[name] ?? inputs.images["image"]?.view(name, synthetic: artifact.syntheticView, spec)
        }
        authentic = view("authentic")
        synthetic = view("synthetic")?.reduced(toSide: spec.authenticSidePx)
    }
}

extension Photo {
    /// Small enough for its longer side to be this long at most.
    fileprivate func reduced(toSide side: Int) -> Photo {
        let scale = min(1, Double(side) / Double(max(width, height)))
        return resized(
            to: PhotoSize(
                width: max(1, rounded(Double(width) * scale)), height: max(1, rounded(Double(height) * scale))))
    }
}
