import Foundation

/// Turns encoded bytes into pixels; on Apple systems ImageIO does it (LarIqaApple).
public protocol PhotoDecoding: Sendable {
    /// Which library decodes, and its version where there is one.
    var library: String { get }

    /// - Parameters:
    ///   - data: the file.
    ///   - name: names the photo in errors.
    /// - Throws: `Refusal`: no photo, a damaged one, one too large, a camera RAW.
    func photo(from data: Data, named name: String) throws -> Photo
}

/// Why a file cannot be scored, in the words of `lariqa/photos/photo.py`.
public enum PhotoRefusal {
    public static let kinds = "JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or PPM"

    public static func empty(_ name: String) -> Refusal {
        Refusal("\(name): expected a photo, came an empty file (0 bytes); copy or export the photo again")
    }

    public static func otherKind(_ name: String, beginning data: Data) -> Refusal {
        Refusal(
            "\(name): expected a photo (\(kinds)), came a file of another kind or one too damaged to tell "
                + "(it begins with \(inPythonsBytes(data.prefix(12)))); export it again as JPEG or PNG")
    }

    public static func damaged(_ name: String, _ reason: String) -> Refusal {
        Refusal(
            "\(name): expected a whole photo, came a damaged or truncated one (\(reason)); "
                + "copy or export the photo again")
    }

    public static func tooLarge(_ name: String, _ size: PhotoSize) -> Refusal {
        let megapixels = String(format: "%.1f", Double(size.pixels) / 1e6)
        return Refusal(
            "\(name): expected at most \(Photo.maxPixels / 1_000_000) megapixels, came \(size) "
                + "(\(megapixels) megapixels); scale or crop the photo")
    }

    public static func cameraRaw(_ name: String) -> Refusal {
        Refusal("\(name): expected a developed photo, came a camera RAW; develop it to JPEG, PNG or TIFF")
    }

    public static func outOfMemory(_ name: String, _ size: PhotoSize, needsMiB: Int, hasMiB: Int) -> Refusal {
        Refusal(
            "\(name): expected a photo that fits into memory, came \(size), which needs \(needsMiB) MiB when only "
                + "\(hasMiB) MiB are left; close other apps, or scale the photo")
    }

    public static let cameraRefused = Refusal(
        "the app may not use the camera; allow it in the settings, or choose photos instead")

    public static let noCamera = Refusal(
        "this device has no camera that takes still pictures; choose photos instead")

    /// Bytes as Python prints them: `b'\x00\x01JFIF'`.
    static func inPythonsBytes(_ data: Data) -> String {
        let quote: Character = data.contains(0x27) && !data.contains(0x22) ? "\"" : "'"
        let body = data.map { byte in
            switch byte {
            case 0x09: "\\t"
            case 0x0a: "\\n"
            case 0x0d: "\\r"
            case 0x5c: "\\\\"
            case 0x27 where quote == "'": "\\'"
            case 0x20..<0x7f: String(UnicodeScalar(byte))
            default: "\\x" + String(format: "%02x", byte)
            }
        }
        return "b\(quote)\(body.joined())\(quote)"
    }
}
