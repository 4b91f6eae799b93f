import Foundation

/// How far two decodes of one picture are apart, value by value.
struct Levels: Sendable, Equatable {
    let worst: Int
    let mean: Double
    /// Of the values that differ at all, 0...1.
    let differingShare: Double

    /// - Throws: `Refusal`: the pictures have not one size.
    init(_ photo: Photo, against expected: Photo) throws {
        guard photo.size == expected.size else {
            throw Refusal("it was decoded to \(photo.size) px, expected \(expected.size)")
        }
        var (worst, sum, differing) = (0, 0, 0)
        for (value, right) in zip(photo.rgb, expected.rgb) where value != right {
            let difference = abs(Int(value) - Int(right))
            worst = max(worst, difference)
            sum += difference
            differing += 1
        }
        self.worst = worst
        mean = Double(sum) / Double(max(photo.rgb.count, 1))
        differingShare = Double(differing) / Double(max(photo.rgb.count, 1))
    }
}
