// swift-tools-version: 6.0
import PackageDescription

// At the root of the repository, so that any app can add it by its URL. Such an app takes the product LarIqaKit; the rest is
// the sample app's (LarIqaScreens), tests, and what tests need. All of the Swift code lies in ios_demo/.

// On Linux, stand-ins for the few declarations of Apple's frameworks that the app uses (Stubs/): they let the compiler
// check every line, and prove nothing about the frameworks. `os(Linux)` is the machine that builds: a build for a phone
// runs on a Mac and never sees them. There, pixels and sha256 are optimised in debug builds too, or tests take minutes.
#if os(Linux)
    let frameworks = ["CoreAI", "CoreGraphics", "CoreML", "CoreVideo", "DarwinOnLinux", "ImageIO", "UIKit", "os"]
    let screenFrameworks = ["AVFoundation", "CoreTransferable", "PhotosUI", "SwiftUI", "UniformTypeIdentifiers"]
    // Swift 6.0's own libswiftObservation.so lacks a function that it calls only when it is about to trap.
    let observation: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "--allow-shlib-undefined"])]
    func stub(_ name: String, _ dependencies: Target.Dependency...) -> Target {
        .target(name: name, dependencies: dependencies, path: "ios_demo/Stubs/\(name)")
    }
    let stubs: [Target] = [
        stub("AVFoundation"), stub("CoreAI"), stub("CoreGraphics"), stub("CoreML", "CoreVideo"),
        stub("CoreTransferable", "UniformTypeIdentifiers"), stub("CoreVideo", "CoreGraphics"), stub("DarwinOnLinux"),
        stub("ImageIO", "CoreGraphics"), stub("PhotosUI", "SwiftUI"),
        stub("SwiftUI", "CoreGraphics", "CoreTransferable", "UIKit"), stub("UIKit", "CoreGraphics"),
        stub("UniformTypeIdentifiers"), stub("os"),
        .target(
            name: "StandIns", dependencies: ["Recorded", "CoreML", "ImageIO"], path: "ios_demo/Tests/StandIns"),
        .executableTarget(
            name: "LarIqaDemo", dependencies: ["LarIqaScreens"], path: "ios_demo/App/Sources",
            linkerSettings: observation),
    ]
    let quickPixels: [SwiftSetting] = [.unsafeFlags(["-O"])]
    let standIns: [Target.Dependency] = ["StandIns"]
    let standInProducts: [Product] = [.library(name: "StandIns", targets: ["StandIns"])]
#else
    let frameworks: [String] = []
    let screenFrameworks: [String] = []
    let stubs: [Target] = []
    let observation: [LinkerSetting] = []
    let quickPixels: [SwiftSetting] = []
    let standIns: [Target.Dependency] = []
    let standInProducts: [Product] = []
#endif
let onLinux = frameworks.map { Target.Dependency(stringLiteral: $0) }
let screensOnLinux = onLinux + screenFrameworks.map { Target.Dependency(stringLiteral: $0) }
let sources = "ios_demo/Sources/"
let tests = "ios_demo/Tests/"
let kit: Target.Dependency = "LarIqaKit"
let apple: Target.Dependency = "LarIqaApple"
let screens: Target.Dependency = "LarIqaScreens"
let recorded: Target.Dependency = "Recorded"

// Each on its own, with its type: the compiler gives up on one long expression.
var products: [Product] = [
    .library(name: "LarIqaKit", targets: ["LarIqaKit", "LarIqaApple"]),
    .library(name: "LarIqaScreens", targets: ["LarIqaScreens"]),
]
products += standInProducts
let appleNeeds: [Target.Dependency] = [kit] + onLinux
let screensNeed: [Target.Dependency] = [kit, apple] + screensOnLinux
let appleTestsNeed: [Target.Dependency] = [apple, recorded] + onLinux + standIns
var targets: [Target] = [
    .target(name: "LarIqaKit", path: sources + "LarIqaKit", swiftSettings: quickPixels),
    .target(name: "LarIqaApple", dependencies: appleNeeds, path: sources + "LarIqaApple"),
    .target(name: "LarIqaScreens", dependencies: screensNeed, path: sources + "LarIqaScreens"),
    .target(name: "Recorded", dependencies: [kit], path: tests + "Recorded"),
    .testTarget(name: "LarIqaKitTests", dependencies: [kit, recorded], path: tests + "LarIqaKitTests"),
    .testTarget(name: "LarIqaAppleTests", dependencies: appleTestsNeed, path: tests + "LarIqaAppleTests"),
    .testTarget(
        name: "LarIqaScreensTests", dependencies: [screens, recorded], path: tests + "LarIqaScreensTests",
        linkerSettings: observation),
]
targets += stubs

let package = Package(
    name: "LarIqaKit", platforms: [.iOS(.v17), .macOS(.v14)], products: products, targets: targets,
    swiftLanguageModes: [.v6])
