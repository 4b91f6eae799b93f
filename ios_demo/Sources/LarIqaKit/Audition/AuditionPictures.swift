import Foundation

/// The generated pictures of the audition: each tells another fault of an accelerator apart. Whole numbers only, so that
/// every language makes the same bytes of the golden tile (`lariqa/photos/audition.py`); no photo is shipped.
///
///     dark, washed    little light; haze, little contrast
///     flat            squares of one colour: roundings that are the same all over do not cancel
///     texture         fine noise
///     gradient        smooth, and nothing of the photo
public enum AuditionPictures {
    public static let generator = "lariqa-audition/1"
    public static let names = ["dark", "washed", "flat", "texture", "gradient"]

    private static let square = 64  // px

    /// - Parameters:
    ///   - name: one of `names`.
    ///   - tile: the golden tile.
    ///   - size: in pixels.
    /// - Returns: nil for a name that this version does not know.
    public static func make(_ name: String, from tile: Photo, size: PhotoSize) -> Photo? {
        guard names.contains(name) else { return nil }
        if name == "gradient" { return gradient(size) }
        let golden = GoldenPhoto.make(from: tile, size: size)
        switch name {
        case "dark": return golden.mapped { $0 / 4 }
        case "washed": return golden.mapped { 160 + ($0 * 3) / 8 }
        case "flat": return flat(golden)
        default: return texture(golden)
        }
    }

    private static func flat(_ golden: Photo) -> Photo {
        var rgb: [UInt8] = []
        rgb.reserveCapacity(golden.rgb.count)
        for y in 0..<golden.height {
            let line = y / square * square * golden.width
            for x in 0..<golden.width {
                let at = (line + x / square * square) * 3
                rgb.append(golden.rgb[at])
                rgb.append(golden.rgb[at + 1])
                rgb.append(golden.rgb[at + 2])
            }
        }
        return Photo(madeAs: golden.size, rgb: rgb)
    }

    private static func texture(_ golden: Photo) -> Photo {
        var rgb = golden.rgb
        var at = 0
        for y in 0..<golden.height {
            for x in 0..<golden.width {
                for channel in 0..<3 {
                    rgb[at] = UInt8((3 * Int(rgb[at]) + noise(y, x, channel)) / 4)
                    at += 1
                }
            }
        }
        return Photo(madeAs: golden.size, rgb: rgb)
    }

    /// 0...255 of the place: 32-bit arithmetic that wraps around.
    private static func noise(_ y: Int, _ x: Int, _ channel: Int) -> Int {
        var v = UInt32(truncatingIfNeeded: y) &* 73_856_093
        v ^= UInt32(truncatingIfNeeded: x) &* 19_349_663
        v ^= UInt32(truncatingIfNeeded: channel) &* 83_492_791
        v ^= v >> 16
        v = v &* 0x7feb_352d
        v ^= v >> 15
        v = v &* 0x846c_a68b
        v ^= v >> 16
        return Int(v & 255)
    }

    private static func gradient(_ size: PhotoSize) -> Photo {
        let (right, bottom) = (max(size.width - 1, 1), max(size.height - 1, 1))
        var rgb: [UInt8] = []
        rgb.reserveCapacity(size.pixels * 3)
        for y in 0..<size.height {
            for x in 0..<size.width {
                rgb.append(UInt8(x * 255 / right))
                rgb.append(UInt8(y * 255 / bottom))
                rgb.append(UInt8(x * 128 / right + y * 127 / bottom))
            }
        }
        return Photo(madeAs: size, rgb: rgb)
    }
}

extension Photo {
    /// The same picture with every value changed.
    fileprivate func mapped(_ change: (Int) -> Int) -> Photo {
        let table = (0...255).map { UInt8(clamping: change($0)) }
        return Photo(madeAs: size, rgb: rgb.map { table[Int($0)] })
    }
}
