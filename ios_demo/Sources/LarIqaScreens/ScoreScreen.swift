import LarIqaKit
import PhotosUI
import SwiftUI

/// Pick, take, drop or open one photo, and read what its score means.
struct ScoreScreen: View {
    @Bindable var app: AppViewModel
    let model: ScoreViewModel
    @State private var picked: PhotosPickerItem?
    @State private var showsCamera = false

    var body: some View {
        NavigationStack {
            Form {
                if let interruption = app.interruption {
                    Label(interruption, systemImage: "clock.arrow.circlepath")
                }
                StateBanner(state: app.state)
                if case .failed = app.state {
                    Button("Try again") { Task { await app.load() } }
                }
                Section("Photo") {
                    PhotosPicker(
                        selection: $picked, matching: .images, preferredItemEncoding: .current
                    ) {
                        Label("Pick a photo", systemImage: "photo")
                    }
                    CameraButton(isShown: $showsCamera, model: model)
                    if app.takesOneSize { Toggle("Resample photos of other sizes", isOn: $app.fits) }
                }
                Section("Score") { result }
                ModelSection(app: app)
                AuditionSection(app: app)
            }
            .navigationTitle("LAR-IQA")
            .onChange(of: picked) { _, item in
                if let item { model.score(PickedPhoto(item, number: nil)) }
            }
            .dropDestination(for: PhotoData.self) { photos, _ in
                guard let photo = photos.first else { return false }
                model.score(PickedPhoto(name: "Dropped photo", source: .file { photo.data }))
                return true
            }
        }
    }

    @ViewBuilder private var result: some View {
        switch model.phase {
        case .empty:
            Text("Pick a photo, or drop one here.").foregroundStyle(.secondary)
        case .scoring(let photo):
            ProgressView("Scoring \(photo)")
            Button("Cancel", role: .cancel) { model.cancel() }
        case .scored(let score, let meaning):
            ScoreCard(score: score, meaning: meaning)
        case .refused(let sentence):
            Label(sentence, systemImage: "xmark.octagon").foregroundStyle(.red)
        }
    }
}
