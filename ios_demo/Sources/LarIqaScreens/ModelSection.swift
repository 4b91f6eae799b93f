import LarIqaKit
import SwiftUI

/// Which file, on which processors, and what the export says of itself.
struct ModelSection: View {
    @Bindable var app: AppViewModel

    var body: some View {
        Section("Model") {
            Picker("Processors", selection: $app.units) {
                Text("Fastest that is right").tag(ComputeUnits?.none)
                ForEach(ComputeUnits.allCases) { units in
                    Text(units.title).tag(Optional(units))
                }
            }
            .disabled(app.state.isBusy)
            if let folder = app.folder, folder.artifacts.count > 1 {
                Picker("File", selection: $app.file) {
                    ForEach(folder.artifacts) { artifact in
                        Text(artifact.file).tag(Optional(artifact.file))
                    }
                }
                .disabled(app.state.isBusy)
            }
            if let artifact = app.artifact {
                LabeledContent("Photo size", value: artifact.photoSize?.description ?? "any")
                LabeledContent("Proved", value: artifact.status)
            }
            if let folder = app.folder {
                LabeledContent("Weights", value: folder.manifest.provenance.trained ? "trained" : "NOT TRAINED")
            }
        }
        .onChange(of: app.units) { _, _ in Task { await app.applyChoice() } }
        .onChange(of: app.file) { _, _ in Task { await app.applyChoice() } }
    }
}
