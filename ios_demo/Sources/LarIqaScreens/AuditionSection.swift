import LarIqaKit
import SwiftUI

/// What became of each of the phone's units with this file, and what the decoder does to scores.
struct AuditionSection: View {
    let app: AppViewModel

    var body: some View {
        Section("Audition") {
            if let table = app.iqa?.audition {
                ForEach(table.results) { AuditionResultRow(result: $0, isUsed: $0.units == app.iqa?.units) }
                ForEach(table.notes, id: \.self) { Text($0).font(.footnote).foregroundStyle(.secondary) }
                if let check = app.iqa?.decoderCheck { Text(check.summary).font(.footnote) }
                if let check = app.iqa?.heicDecoderCheck { Text(check.summary).font(.footnote) }
                Button("Hold the audition again") { Task { await app.auditionAgain() } }
                    .disabled(app.state.isBusy)
            } else {
                Text("Each processor is tried with pictures whose scores are known; the fastest that is right is used.")
                    .font(.footnote)
                    .foregroundStyle(.secondary)
            }
        }
    }
}

/// One unit: admitted with its figures, or the reason.
struct AuditionResultRow: View {
    let result: AuditionResult
    let isUsed: Bool

    var body: some View {
        VStack(alignment: .leading) {
            Label(
                result.units.title + (isUsed ? ", used" : ""),
                systemImage: result.isAdmitted ? "checkmark.seal" : "xmark.octagon"
            )
            .foregroundStyle(result.isAdmitted ? Color.green : Color.red)
            if let reason = result.refusal { Text("Refused: \(reason).").font(.footnote) }
            Text(result.figures).font(.footnote).foregroundStyle(.secondary)
        }
        .accessibilityElement(children: .combine)
    }
}
