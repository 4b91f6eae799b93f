import CoreML
import Foundation
import ImageIO
import LarIqaKit
import Recorded

/// Puts recorded scores in Core ML's place and the vectors' decoded pixels in ImageIO's, for a whole program.
public enum StandIns {
    /// The Neural Engine of this phone: off by this, in score units.
    public static let offOnNeuralEngine = 0.02

    /// Before anything is decoded or opened.
    ///
    /// - Parameter jpeg: which decode of golden.jpg ImageIO gives: a name in the vectors.
    public static func install(jpeg: String = "golden_jpg") throws {
        let rows = try ExportFolder(Vectors.tinyExport(), named: "export").artifacts
        let decoder = PpmDecoder(jpeg: jpeg)
        standInForDecoding = { data in try? decoder.photo(from: data, named: "").image }
        standInForModels = { name, units in
            guard let artifact = rows.first(where: { $0.file == name }) else { return nil }
            guard units == .cpuAndNeuralEngine else { return try? RecordedModel(artifact) }
            guard let recorded = try? Vectors.recorded(artifact.input) else { return nil }
            return RecordedModel(
                Dictionary(uniqueKeysWithValues: artifact.inputs.map { ($0.name, $0.imageSize) })
            ) { given in
                (recorded[Vectors.key(given.mapValues { Sha256.of(RecordedModel.rgb($0)) })] ?? .nan)
                    + offOnNeuralEngine
            }
        }
    }
}

extension Photo {
    fileprivate var image: CGImage? {
        guard let provider = CGDataProvider(data: Data(rgb)) else { return nil }
        return CGImage(
            width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 24, bytesPerRow: width * 3,
            space: CGColorSpaceCreateDeviceRGB(), bitmapInfo: CGBitmapInfo(rawValue: 0), provider: provider,
            decode: nil, shouldInterpolate: false, intent: .defaultIntent)
    }
}
