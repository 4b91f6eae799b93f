import Foundation
import LarIqaApple
import LarIqaKit
import LarIqaScreens
import SwiftUI

/// The app: the export in its bundle, Core ML or Core AI, ImageIO and this device, put together.
@main
struct LarIqaDemoApp: App {
    private let model = AppViewModel(
        folder: { try ExportFolder(bundledExport, named: "this app", formats: AppleOpener.formats) },
        dependencies: .live)

    var body: some Scene {
        WindowGroup { RootView(app: model) }
    }
}

/// The folder `Model` that `make ios MODEL_DIR=...` fills; Xcode copies it as it is.
private let bundledExport = Bundle.main.bundleURL.appendingPathComponent("Model", isDirectory: true)

extension AppViewModel.Dependencies {
    /// This device.
    fileprivate static var live: Self {
        let support = URL.applicationSupportDirectory.appendingPathComponent("Journal", isDirectory: true)
        let version = Bundle.main.infoDictionary?["CFBundleShortVersionString"] as? String ?? "of unknown version"
        return Self(
            platform: .apple(app: "LAR-IQA for iOS \(version)"), journal: try? Journal(folder: support),
            rows: RowFile(folder: URL.documentsDirectory), pending: PendingBenchmark(folder: support),
            isCompiled: { CompiledModels.apple.holds($0) })
    }
}
