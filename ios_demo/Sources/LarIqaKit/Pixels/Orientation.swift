import Foundation

/// EXIF 2.32, tag Orientation: how the camera was held. What cannot be read counts as upright, as in viewers.
public enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, lyingLeft, transversed, lyingRight

    public init(tag: Int?) {
        self = tag.flatMap(Orientation.init(rawValue:)) ?? .upright
    }

    /// Size of the upright picture.
    public func upright(_ stored: PhotoSize) -> PhotoSize {
        rawValue < 5 ? stored : PhotoSize(width: stored.height, height: stored.width)
    }

    /// Where the stored picture's first pixel lies in the upright one, and how far its neighbours are, in pixels.
    func path(_ stored: PhotoSize) -> (origin: Int, perColumn: Int, perRow: Int) {
        let (w, h) = (stored.width, stored.height)
        return switch self {
        case .upright: (0, 1, w)
        case .mirrored: (w - 1, -1, w)
        case .upsideDown: (w * h - 1, -1, -w)
        case .flipped: ((h - 1) * w, 1, -w)
        case .transposed: (0, h, 1)
        case .lyingLeft: (h - 1, h, -1)
        case .transversed: (w * h - 1, -h, -1)
        case .lyingRight: ((w - 1) * h, -h, 1)
        }
    }
}
