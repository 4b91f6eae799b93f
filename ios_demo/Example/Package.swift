// swift-tools-version: 6.0
import PackageDescription

// An app of somebody else's, as small as it can be. Yours names this repository's URL in the place of the path.
#if os(Linux)
    let standIns: [Target.Dependency] = [.product(name: "StandIns", package: "LarIqaKit")]
#else
    let standIns: [Target.Dependency] = []
#endif

let package = Package(
    name: "Example",
    platforms: [.iOS(.v17), .macOS(.v14)],
    dependencies: [.package(name: "LarIqaKit", path: "../..")],
    targets: [
        .executableTarget(
            name: "Example", dependencies: [.product(name: "LarIqaKit", package: "LarIqaKit")] + standIns)
    ],
    swiftLanguageModes: [.v6]
)
