import Foundation

#if os(Linux)
    import StandIns

    try StandIns.install()  // no Core ML and no ImageIO here: recorded scores, recorded pixels
#endif

// swift run --package-path ios_demo/Example Example EXPORT PHOTO...
let paths = CommandLine.arguments.dropFirst().map { URL(fileURLWithPath: $0) }
guard let export = paths.first, paths.count > 1 else {
    print("say which export and which photos: Example EXPORT PHOTO...")
    exit(2)
}
do {
    try await rank(Array(paths.dropFirst()), with: export)
} catch {
    print(error.localizedDescription)
    exit(1)
}
