// swift-tools-version: 6.0
import PackageDescription

// On Linux, stand-ins for the few declarations of Apple's frameworks that the app uses (Stubs/): they let the compiler
// check every line, and prove nothing about the frameworks. `os(Linux)` is the machine that builds: a build for a phone
// runs on a Mac and never sees them. There, pixels and sha256 are optimised in debug builds too, or tests take minutes.
#if os(Linux)
    let frameworks = [
        "AVFoundation", "CoreAI", "CoreGraphics", "CoreML", "CoreTransferable", "CoreVideo", "DarwinOnLinux", "ImageIO",
        "PhotosUI",
        "SwiftUI", "UIKit", "UniformTypeIdentifiers", "os",
    ]
    // Swift 6.0's own libswiftObservation.so lacks a function that it calls only when it is about to trap.
    let observation: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "--allow-shlib-undefined"])]
    func stub(_ name: String, _ dependencies: Target.Dependency...) -> Target {
        .target(name: name, dependencies: dependencies, path: "Stubs/\(name)")
    }
    let stubs = [
        stub("AVFoundation"), stub("CoreAI"), stub("CoreGraphics"), stub("CoreML", "CoreVideo"),
        stub("CoreTransferable", "UniformTypeIdentifiers"), stub("CoreVideo", "CoreGraphics"), stub("DarwinOnLinux"),
        stub("ImageIO", "CoreGraphics"), stub("PhotosUI", "SwiftUI"),
        stub("SwiftUI", "CoreGraphics", "CoreTransferable", "UIKit"), stub("UIKit", "CoreGraphics"),
        stub("UniformTypeIdentifiers"), stub("os"),
        .executableTarget(
            name: "LarIqaDemo", dependencies: ["LarIqaScreens"], path: "App/Sources", linkerSettings: observation),
    ]
    let quickPixels: [SwiftSetting] = [.unsafeFlags(["-O"])]
#else
    let frameworks: [String] = []
    let stubs: [Target] = []
    let observation: [LinkerSetting] = []
    let quickPixels: [SwiftSetting] = []
#endif
let onLinux = frameworks.map { Target.Dependency(stringLiteral: $0) }

let package = Package(
    name: "LarIqaKit",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "LarIqaKit", targets: ["LarIqaKit"]),
        .library(name: "LarIqaApple", targets: ["LarIqaApple"]),
        .library(name: "LarIqaScreens", targets: ["LarIqaScreens"]),
    ],
    targets: [
        .target(name: "LarIqaKit", swiftSettings: quickPixels),
        .target(name: "LarIqaApple", dependencies: ["LarIqaKit"] + onLinux),
        .target(name: "LarIqaScreens", dependencies: ["LarIqaKit", "LarIqaApple"] + onLinux),
        .target(name: "Recorded", dependencies: ["LarIqaKit"], path: "Tests/Recorded"),
        .testTarget(name: "LarIqaKitTests", dependencies: ["LarIqaKit", "Recorded"]),
        .testTarget(name: "LarIqaAppleTests", dependencies: ["LarIqaApple", "Recorded"] + onLinux),
        .testTarget(
            name: "LarIqaScreensTests", dependencies: ["LarIqaScreens", "Recorded"], linkerSettings: observation),
    ] + stubs,
    swiftLanguageModes: [.v6]
)
