import Foundation

/// The picture that every language makes byte for byte: a tile repeated, mirrored, from the top left (docs/schemas/manifest.md).
///
///     photo(y, x)  = tile(mirror(y, tile height), mirror(x, tile width))
///     mirror(i, n) = i mod 2n, and where that is n or more, 2n - 1 - (i mod 2n)
public enum GoldenPhoto {
    public static let fill = "mirror-tiled"

    /// The golden photo at the size that its reference score is recorded for.
    public static func make(from tile: Photo, size: PhotoSize) -> Photo {
        let columns = (0..<size.width).map { mirror($0, tile.width) * 3 }
        var rgb: [UInt8] = []
        rgb.reserveCapacity(size.pixels * 3)
        for y in 0..<size.height {
            let line = mirror(y, tile.height) * tile.width * 3
            for column in columns {
                let at = line + column
                rgb.append(tile.rgb[at])
                rgb.append(tile.rgb[at + 1])
                rgb.append(tile.rgb[at + 2])
            }
        }
        return Photo(madeAs: size, rgb: rgb)
    }

    private static func mirror(_ i: Int, _ n: Int) -> Int {
        let folded = i % (2 * n)
        return folded < n ? folded : 2 * n - 1 - folded
    }
}
