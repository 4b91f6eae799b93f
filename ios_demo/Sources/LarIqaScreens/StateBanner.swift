import LarIqaKit
import SwiftUI

/// What the app is doing, in a word and a sentence; VoiceOver reads both as one.
struct StateBanner: View {
    let state: ScoringState

    var body: some View {
        HStack(alignment: .top) {
            if state.isBusy {
                ProgressView()
            } else {
                Image(systemName: symbol)
                    .foregroundStyle(colour)
                    .accessibilityHidden(true)
            }
            VStack(alignment: .leading) {
                Text(state.title).font(.headline)
                Text(state.sentence).font(.subheadline).foregroundStyle(.secondary)
            }
        }
        .accessibilityElement(children: .combine)
    }

    private var symbol: String {
        switch state {
        case .ready(.passed): "checkmark.seal"
        case .ready: "questionmark.circle"
        case .failed: "exclamationmark.triangle"
        default: "circle.dashed"
        }
    }

    private var colour: Color {
        switch state {
        case .ready(.passed): .green
        case .failed: .red
        default: .orange
        }
    }
}
