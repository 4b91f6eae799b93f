import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite("Pixels are Python's, byte for byte", .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct PixelTests {
    struct Resize: Decodable {
        let kind: String
        let from: Pixels
        let to: Pixels
    }

    @Test("Pillow's resize, and scaling to cover a size, up and down, odd and even")
    func resizes() throws {
        let rows = try Vectors.read("resize", as: [Resize].self)
        #expect(rows.count == 40 && Set(rows.map(\.kind)) == ["fit", "square"])
        for row in rows {
            let (source, expected) = (try row.from.photo(), try row.to.photo())
            #expect(source.size != expected.size)
            let made = row.kind == "fit" ? source.fitted(to: expected.size) : source.resized(to: expected.size)
            #expect(made == expected, "\(row.kind) \(source.size) -> \(expected.size)")
        }
    }

    struct Pack: Decodable {
        let from: Pixels
        let decoded: String
        let authentic: String
        let synthetic: String
    }

    @Test("The golden pack, stage by stage: decoded, the whole photo small, the padded or cut crop")
    func goldenPack() throws {
        let spec = try ExportFolder(Vectors.tinyExport(), named: "export").manifest.preprocess
        #expect(spec.authenticSidePx == 128)  // the tiny model's; the pack was made with the full one's
        let full = try PreprocessSpec(json: [
            "authentic_side_px": .number(384), "synthetic_crop_px": .number(1280), "synthetic_view": .string("crop"),
            "mean": .array([]), "std": .array([]),
        ])
        for row in try Vectors.read("pack", as: [Pack].self) {
            let photo = try row.from.photo()
            #expect(Sha256.of(Data(photo.rgb)) == row.decoded)
            #expect(Sha256.of(Data(photo.authenticView(full).rgb)) == row.authentic)
            #expect(Sha256.of(Data(photo.syntheticView("crop", full).rgb)) == row.synthetic)
            #expect(photo.syntheticView("full", full) == photo)
        }
    }

    @Test("The golden photo is the mirrored tile, and no other tiling")
    func goldenPhoto() throws {
        let (tile, expected) = (try Vectors.photo("tile"), try Vectors.photo("golden"))
        let made = GoldenPhoto.make(from: tile, size: expected.size)
        #expect(made == expected)
        let wide = GoldenPhoto.make(from: tile, size: PhotoSize(width: tile.width * 2 + 3, height: 32))
        #expect(wide.rgb[..<3] == wide.rgb[(tile.width * 2 - 1) * 3..<tile.width * 6])
        #expect(wide.rgb[..<9] == wide.rgb[tile.width * 6..<tile.width * 6 + 9])
    }

    @Test("A whole phone photo: the golden one at 4032x3024, fitted to 3840x2160")
    func fullSize() throws {
        let sha256 = try Vectors.read("full_size", as: [String: String].self)
        let phone = GoldenPhoto.make(from: try Vectors.photo("tile"), size: PhotoSize(width: 4032, height: 3024))
        #expect(Sha256.of(Data(phone.rgb)) == sha256["phone"])
        let fitted = phone.fitted(to: PhotoSize(width: 3840, height: 2160))
        #expect(Sha256.of(Data(fitted.rgb)) == sha256["fitted"])
    }

    struct Turns: Decodable {
        let stored: Pixels
        let upright: [String: Pixels]
        let premultipliedRgba: Data
        let overWhite: Pixels
    }

    @Test("Every EXIF orientation, written row by row in bands of any height", arguments: 1...8)
    func orientation(tag: Int) throws {
        let turns = try Vectors.read("turns", as: Turns.self)
        let stored = try turns.stored.photo()
        let expected = try #require(turns.upright["\(tag)"]).photo()
        for band in [1, 2, 5] {
            var assembly = PhotoAssembly(stored: stored.size, orientation: Orientation(tag: tag))
            for top in stride(from: 0, to: stored.height, by: band) {
                let rows = min(band, stored.height - top)
                // Rows come padded, as Core Graphics gives them.
                var rgba = [UInt8](repeating: 7, count: rows * 40)
                for row in 0..<rows {
                    for column in 0..<stored.width {
                        let at = ((top + row) * stored.width + column) * 3
                        rgba.replaceSubrange(
                            row * 40 + column * 4..<row * 40 + column * 4 + 4, with: stored.rgb[at..<at + 3] + [255])
                    }
                }
                rgba.withUnsafeBytes { assembly.append(rgba: $0, rows: rows, bytesPerRow: 40) }
            }
            #expect(try assembly.finish(named: "photo") == expected)
        }
    }

    @Test("An orientation that cannot be read counts as upright", arguments: [nil, 0, 9, -1])
    func unreadableOrientation(tag: Int?) {
        #expect(Orientation(tag: tag) == .upright)
    }

    @Test("Transparency lies over white, within a level of Pillow's composite")
    func alpha() throws {
        let turns = try Vectors.read("turns", as: Turns.self)
        let expected = try turns.overWhite.photo()
        var assembly = PhotoAssembly(stored: expected.size, orientation: .upright)
        turns.premultipliedRgba.withUnsafeBytes {
            assembly.append(rgba: $0, rows: expected.height, bytesPerRow: expected.width * 4)
        }
        let made = try assembly.finish(named: "photo")
        let worst = zip(made.rgb, expected.rgb).map { abs(Int($0) - Int($1)) }.max()
        #expect(try #require(worst) <= 1 && made.rgb.contains { $0 < 100 })
    }

    @Test("A photo whose rows ended early is damaged, not grey")
    func missingRows() {
        let assembly = PhotoAssembly(stored: PhotoSize(width: 2, height: 2), orientation: .upright)
        #expect(throws: PhotoRefusal.damaged("photo", "row 0 of 2 is missing")) {
            try assembly.finish(named: "photo")
        }
    }

    @Test("Core ML's buffer gets blue first, alpha full, rows padded; too small a buffer gets nothing")
    func pixelBuffer() throws {
        let photo = try Photo(size: PhotoSize(width: 2, height: 2), rgb: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        var bytes = [UInt8](repeating: 0, count: 32)
        #expect(bytes.withUnsafeMutableBytes { photo.fillBGRA($0, bytesPerRow: 16) })
        #expect(bytes[..<8] == [3, 2, 1, 255, 6, 5, 4, 255] && bytes[16..<24] == [9, 8, 7, 255, 12, 11, 10, 255])
        #expect(bytes[8..<16].allSatisfy { $0 == 0 })
        var small = [UInt8](repeating: 0, count: 15)
        #expect(!small.withUnsafeMutableBytes { photo.fillBGRA($0, bytesPerRow: 8) })
        #expect(small.allSatisfy { $0 == 0 })
    }
}
