import LarIqaApple
import LarIqaKit
import SwiftUI

/// One score in plain words: warnings first, then the number, what was looked at, what it does not say.
struct ScoreCard: View {
    let score: PhotoScore
    let meaning: ScoreMeaning

    var body: some View {
        ForEach(meaning.warnings, id: \.self) { warning in
            Label(warning, systemImage: "exclamationmark.triangle")
                .font(.subheadline)
                .foregroundStyle(.orange)
        }
        VStack(alignment: .leading) {
            Text(score.photo).font(.headline)
            Text(score.text).font(.largeTitle).monospacedDigit()
            ProgressView(value: meaning.position).accessibilityHidden(true)
            Text(meaning.scale).font(.subheadline)
        }
        .accessibilityElement(children: .combine)
        .accessibilityLabel("\(score.photo): \(meaning.scale)")
        if let views = score.views {
            HStack(alignment: .top) {
                if let whole = views.authentic { PhotoView(photo: whole, caption: "Whole photo, scaled") }
                if let native = views.synthetic { PhotoView(photo: native, caption: "Full resolution") }
            }
        }
        Text(meaning.views).font(.subheadline)
        Text(meaning.exactness).font(.subheadline)
        Text(meaning.doesNotSay).font(.subheadline).foregroundStyle(.secondary)
        Text("\(score.runtime), \(score.units.title): \(Int(score.run.inferenceMs)) ms")
            .font(.footnote)
            .foregroundStyle(.secondary)
    }
}

/// Pixels with their caption.
struct PhotoView: View {
    let photo: Photo
    let caption: String

    var body: some View {
        VStack(alignment: .leading) {
            if let image = photo.cgImage() {
                Image(image, scale: 1, label: Text(caption)).resizable().scaledToFit()
            }
            Text(caption).font(.caption).foregroundStyle(.secondary)
        }
        .accessibilityElement(children: .combine)
    }
}
