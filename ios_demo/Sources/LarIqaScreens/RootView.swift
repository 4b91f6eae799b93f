import LarIqaKit
import SwiftUI

/// The whole app: three screens on one model.
public struct RootView: View {
    @State private var app: AppViewModel
    @State private var score: ScoreViewModel
    @State private var burst: BurstViewModel
    @State private var benchmark: BenchmarkViewModel

    public init(app: AppViewModel) {
        _app = State(initialValue: app)
        _score = State(initialValue: ScoreViewModel(app))
        _burst = State(initialValue: BurstViewModel(app))
        _benchmark = State(initialValue: BenchmarkViewModel(app))
    }

    public var body: some View {
        TabView {
            ScoreScreen(app: app, model: score)
                .tabItem { Label("Score", systemImage: "photo") }
            BurstScreen(app: app, model: burst)
                .tabItem { Label("Burst", systemImage: "photo.stack") }
            BenchmarkScreen(app: app, model: benchmark)
                .tabItem { Label("Benchmark", systemImage: "stopwatch") }
        }
        .task { await app.follow() }
        .task {
            await app.lookBack()
            if await !benchmark.measurePlanned() { await app.load() }
        }
        .onOpenURL { score.score(PickedPhoto(url: $0)) }  // "Copy to LAR-IQA" of the share sheet, and "Open in"
    }
}
