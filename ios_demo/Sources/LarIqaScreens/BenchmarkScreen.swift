import LarIqaKit
import PhotosUI
import SwiftUI

/// Measure the loaded model on this device, and share the rows with `lariqa bench import`.
struct BenchmarkScreen: View {
    let app: AppViewModel
    @Bindable var model: BenchmarkViewModel
    @State private var picked: [PhotosPickerItem] = []

    var body: some View {
        NavigationStack {
            Form {
                StateBanner(state: app.state)
                Section("Plan") {
                    Stepper("\(model.runs) counted runs", value: $model.runs, in: 5...200, step: 5)
                    Toggle("Sustained: ten minutes back to back", isOn: $model.isSustained)
                    LabeledContent("Processors", value: app.measuredUnits.title)
                }
                .disabled(model.isRunning)
                Section {
                    if let progress = model.progress {
                        ProgressView(value: progress.fraction) {
                            Text("\(progress.step) \(progress.done)")
                        }
                        Button("Stop, and keep what was measured", role: .cancel) { model.cancel() }
                    } else {
                        Button("Measure") { model.measure([]) }
                            .disabled(app.artifact == nil || app.state.isBusy)
                        // Few, as their files stay in memory and count in its figures.
                        PhotosPicker(
                            selection: $picked, maxSelectionCount: 5, matching: .images, preferredItemEncoding: .current
                        ) {
                            Label("Measure with photos of your own", systemImage: "photo.stack")
                        }
                        .disabled(app.artifact == nil || app.state.isBusy)
                        Button("Measure at the next start of the app") { model.planForNextStart() }
                        if model.isPlanned {
                            Text("Close the app and open it again: memory and load are then the model's alone.")
                                .font(.footnote)
                        }
                    }
                }
                if let row = model.row {
                    Section("Result") { RowSummary(row: row, inference: model.inference) }
                }
                if let problem = model.problem {
                    Label(problem, systemImage: "xmark.octagon").foregroundStyle(.red)
                }
                Section("Rows") {
                    LabeledContent("Kept", value: "\(model.rowCount)")
                    if let file = model.rowsFile {
                        ShareLink("Share rows.jsonl", item: file)
                        Button("Delete all rows", role: .destructive) { model.removeRows() }
                    }
                }
            }
            .navigationTitle("Benchmark")
            .onChange(of: picked) { _, items in
                guard !items.isEmpty else { return }
                model.measure(items.enumerated().map { PickedPhoto($0.element, number: $0.offset + 1) })
                picked = []
            }
        }
    }
}

/// One row as figures, which are derived here; the row holds the samples.
struct RowSummary: View {
    let row: MeasurementRow
    let inference: Statistics?

    var body: some View {
        if let error = row.error {
            Label(error, systemImage: "xmark.octagon").foregroundStyle(.red)
        }
        if let load = row.latency?.loadMs {
            LabeledContent(row.latency?.loadWasCold == true ? "Cold load" : "Load", value: ms(load))
        }
        if let first = row.latency?.firstMs {
            LabeledContent("First run", value: ms(first))
        }
        if let preparing = Statistics(row.latency?.preprocessMs ?? []) {
            LabeledContent("Decoded photo to the model's inputs, median", value: ms(preparing.p50))
        }
        if let inference {
            LabeledContent("Model, median of \(inference.count)", value: ms(inference.p50))
            LabeledContent("p95", value: ms(inference.p95))
        }
        if let memory = row.memory {
            LabeledContent("Peak memory", value: "\(Int(memory.peakMib)) MiB")
        }
        if let placement = row.setting.placement {
            ForEach(placement.keys.sorted(), id: \.self) { processor in
                LabeledContent("Operators on \(processor)", value: "\(placement[processor] ?? 0)")
            }
        }
        ForEach(row.flags, id: \.self) { flag in
            Label(flag, systemImage: "flag").font(.footnote).foregroundStyle(.orange)
        }
    }

    private func ms(_ value: Double) -> String { "\(String(format: "%.1f", value)) ms" }
}
