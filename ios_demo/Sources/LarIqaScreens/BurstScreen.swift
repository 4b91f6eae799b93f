import LarIqaApple
import LarIqaKit
import PhotosUI
import SwiftUI

/// Up to fifty photos of one moment; the one to keep is marked.
struct BurstScreen: View {
    let app: AppViewModel
    let model: BurstViewModel
    @State private var picked: [PhotosPickerItem] = []

    var body: some View {
        NavigationStack {
            List {
                StateBanner(state: app.state)
                PhotosPicker(
                    selection: $picked, maxSelectionCount: 50, matching: .images, preferredItemEncoding: .current
                ) {
                    Label("Pick photos", systemImage: "photo.stack")
                }
                .disabled(model.isScoring)
                if model.isScoring {
                    ProgressView(value: model.fraction) {
                        Text("\(model.done) of \(model.count): \(model.current ?? "")")
                    }
                    Button("Cancel", role: .cancel) { model.cancel() }
                }
                if let verdict = model.verdict {
                    Text(verdict).font(.headline)
                    if app.folder?.manifest.provenance.trained == false {
                        Label("NOT TRAINED: the order means nothing.", systemImage: "exclamationmark.triangle")
                            .foregroundStyle(.orange)
                    }
                }
                ForEach(model.groups) { group in
                    Section(group.title) {
                        ForEach(group.places) { BurstRow(place: $0) }
                    }
                }
                ForEach(model.refused) { refused in
                    Label(refused.sentence, systemImage: "xmark.octagon").foregroundStyle(.red)
                }
            }
            .navigationTitle("Best of burst")
            .onChange(of: picked) { _, items in
                guard !items.isEmpty else { return }
                model.score(items.enumerated().map { PickedPhoto($0.element, number: $0.offset + 1) })
            }
        }
    }
}

/// One place in the order.
struct BurstRow: View {
    let place: Burst.Place

    var body: some View {
        HStack {
            if let view = (place.score.views?.authentic ?? place.score.views?.synthetic)?.cgImage() {
                Image(view, scale: 4, label: Text(place.score.photo)).accessibilityHidden(true)
            }
            VStack(alignment: .leading) {
                Text(place.score.photo).font(place.isKept ? .headline : .body)
                if place.isKept {
                    Label("Keep", systemImage: "star.fill").foregroundStyle(.green)
                }
            }
            Spacer()
            Text(place.score.text).monospacedDigit()
        }
        .accessibilityElement(children: .combine)
        .accessibilityLabel(
            "\(place.isKept ? "Keep, " : "")place \(place.rank), \(place.score.photo), score \(place.score.text)")
    }
}
