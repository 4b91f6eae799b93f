import Foundation

/// What a model file takes of one photo: its two views, or the photo itself.
///
///     views    any photo -> "authentic": side x side, "synthetic": crop x crop
///     pixels   a photo of the file's own size, resampled where that is asked for -> "image"
///
/// The photo is not kept where its views are enough: it can be gone while the model runs.
public struct ModelInputs: Sendable, Equatable {
    /// Name of the input -> its pixels.
    public let images: [String: Photo]
    /// The photo's own size, upright.
    public let size: PhotoSize
    /// The size that was scored; another one where the photo was resampled.
    public let scoredAt: PhotoSize

    /// - Parameters:
    ///   - artifact: the file that they are for.
    ///   - spec: how the file's weights want the views.
    ///   - fit: resample a photo of another size than the file's one; no matter to a file that takes any.
    /// - Throws: `Refusal`: the photo does not fit, or is too small to judge.
    public init(of photo: Photo, for artifact: Artifact, _ spec: PreprocessSpec, fit: Bool) throws {
        let prepared = try photo.prepared(for: artifact.photoSize, fit: fit)
        var images: [String: Photo] = [:]
        for name in artifact.inputs.map(\.name) {
            images[name] =
                artifact.input == "views"
                ? prepared.view(name, synthetic: artifact.syntheticView, spec) : prepared
        }
        self.images = images
        size = photo.size
        scoredAt = prepared.size
    }
}
