#if canImport(CoreML)
    import CoreGraphics
    import Foundation
    import LarIqaKit

    extension LarIqa {
        /// Opens an export on this device; everything is checked before this returns.
        ///
        ///     let iqa = try await LarIqa(Bundle.main.bundleURL.appending(path: "Model"))
        ///     let score = try await iqa.score(photo)
        ///
        /// - Parameters:
        ///   - folder: what `lariqa export` wrote, or `make ios` copied: `lariqa.json` with its files.
        ///   - units: nil: the fastest that the audition admits. The audition takes a minute or so, once for each file, app
        ///     version and system.
        /// - Throws: `Refusal`, whose sentence says what was expected, what came and what to do; `CancellationError`.
        public convenience init(_ folder: URL, units: ComputeUnits? = nil) async throws {
            let export = try ExportFolder(folder, named: folder.lastPathComponent, formats: AppleOpener.formats)
            try await self.init(export, units: units, on: .apple())
        }

        /// Score a decoded picture, whose pixels are upright.
        public func score(_ image: CGImage, named name: String = "Photo") async throws -> PhotoScore {
            try await score(ImageIODecoder().photo(from: image, orientation: .upright, named: name), named: name)
        }
    }

    extension Platform {
        /// This device: Core ML or Core AI, ImageIO, and folders of the app's own in its caches.
        ///
        /// - Parameter app: name and version, as rows have it; nil: those of the main bundle.
        public static func apple(app: String? = nil) -> Platform {
            let folder = URL.ofTheKit
            return Platform(
                opener: AppleOpener(compiled: .apple), formats: AppleOpener.formats, decoder: ImageIODecoder(),
                probe: LiveDevice(),
                auditions: AuditionStore(folder: folder.appendingPathComponent("Auditions", isDirectory: true)),
                app: app ?? named(Bundle.main))
        }

        private static func named(_ bundle: Bundle) -> String {
            let info = bundle.infoDictionary ?? [:]
            let name = info["CFBundleName"] as? String ?? "an app"
            let version = info["CFBundleShortVersionString"] as? String ?? "of unknown version"
            let build = info["CFBundleVersion"] as? String
            return "\(name) \(version)" + (build.map { " (\($0))" } ?? "")
        }
    }

    extension URL {
        /// Of the app's caches, which the system may empty: all in it can be made again.
        fileprivate static var ofTheKit: URL {
            let caches = FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
            return (caches ?? FileManager.default.temporaryDirectory)
                .appendingPathComponent("LarIqa", isDirectory: true)
        }
    }

    extension CompiledModels {
        /// Those of this app, on this system.
        public static var apple: CompiledModels {
            let folder = URL.ofTheKit.appendingPathComponent("CompiledModels", isDirectory: true)
            return CompiledModels(folder: folder, system: ProcessInfo.processInfo.operatingSystemVersionString)
        }
    }
#endif
