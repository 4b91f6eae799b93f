import Foundation

/// Pillow's antialiased bilinear resize of 8-bit pixels, in its own integers: the same bytes, first the width.
///
///     out_i = (2^21 + sum_j k_ij * in_j) >> 22,     k_ij = round(2^22 * triangle_ij / sum_j triangle_ij)
///
/// Source: Pillow, `Resample.c`; why the width first: `lariqa/photos/views.py`. Proved against bytes from Python.
extension Photo {
    /// The whole photo, squeezed or stretched to a size.
    public func resized(to size: PhotoSize) -> Photo {
        let wide = size.width == width ? self : resizedAcross(to: size.width)
        return size.height == height ? wide : wide.resizedDown(to: size.height)
    }

    /// Scaled to cover a size, then cut in the middle.
    ///
    /// The score of a resampled photo is the score of another picture: resampling hides noise and blur.
    public func fitted(to takes: PhotoSize) -> Photo {
        let scale = max(Double(takes.height) / Double(height), Double(takes.width) / Double(width))
        let covering = PhotoSize(
            width: max(takes.width, rounded(Double(width) * scale)),
            height: max(takes.height, rounded(Double(height) * scale)))
        return resized(to: covering).centerCrop(takes)
    }

    private func resizedAcross(to newWidth: Int) -> Photo {
        let filters = BilinearFilters(from: width, to: newWidth)
        var out = [UInt8](repeating: 0, count: newWidth * height * 3)
        let (width, height) = (width, height)
        rgb.withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { target in
                filters.weights.withUnsafeBufferPointer { weights in
                    for row in 0..<height {
                        let line = row * width * 3
                        for column in 0..<newWidth {
                            var (red, green, blue) = (BilinearFilters.half, BilinearFilters.half, BilinearFilters.half)
                            var at = line + filters.first[column] * 3
                            for tap in filters.taps(column) {
                                let weight = weights[tap]
                                red &+= weight &* Int32(source[at])
                                green &+= weight &* Int32(source[at + 1])
                                blue &+= weight &* Int32(source[at + 2])
                                at += 3
                            }
                            let to = (row * newWidth + column) * 3
                            target[to] = BilinearFilters.pixel(red)
                            target[to + 1] = BilinearFilters.pixel(green)
                            target[to + 2] = BilinearFilters.pixel(blue)
                        }
                    }
                }
            }
        }
        return Photo(madeAs: PhotoSize(width: newWidth, height: height), rgb: out)
    }

    private func resizedDown(to newHeight: Int) -> Photo {
        let filters = BilinearFilters(from: height, to: newHeight)
        let line = width * 3
        var out = [UInt8](repeating: 0, count: line * newHeight)
        var sums = [Int32](repeating: 0, count: line)
        rgb.withUnsafeBufferPointer { source in
            out.withUnsafeMutableBufferPointer { target in
                sums.withUnsafeMutableBufferPointer { sums in
                    for row in 0..<newHeight {
                        sums.update(repeating: BilinearFilters.half)
                        var from = filters.first[row] * line
                        for tap in filters.taps(row) {
                            let weight = filters.weights[tap]
                            for x in 0..<line {
                                sums[x] &+= weight &* Int32(source[from + x])
                            }
                            from += line
                        }
                        for x in 0..<line {
                            target[row * line + x] = BilinearFilters.pixel(sums[x])
                        }
                    }
                }
            }
        }
        return Photo(madeAs: PhotoSize(width: width, height: newHeight), rgb: out)
    }
}

/// One axis of a resize: output i is the sum of `weights[taps(i)]` times the inputs from `first[i]` on.
private struct BilinearFilters {
    static let precisionBits: Int32 = 22  // 32 bits, less 8 for the pixel, less 2 for headroom
    static let half: Int32 = 1 << 21

    private(set) var first: [Int] = []
    private(set) var weights: [Int32] = []
    private var starts: [Int] = [0]

    init(from count: Int, to newCount: Int) {
        let scale = Double(count) / Double(newCount)
        let support = max(scale, 1)
        for i in 0..<newCount {
            let centre = (Double(i) + 0.5) * scale  // in input samples
            let low = max(Int(centre - support + 0.5), 0)
            let high = min(Int(centre + support + 0.5), count)
            let triangle = (low..<high).map { tap in
                max(0, 1 - abs((Double(tap) - centre + 0.5) * (1 / support)))
            }
            let total = triangle.reduce(0, +)  // one by one, as Pillow adds them
            first.append(low)
            weights += triangle.map { Int32(($0 / total * Double(1 << Self.precisionBits) + 0.5).rounded(.down)) }
            starts.append(weights.count)
        }
    }

    func taps(_ output: Int) -> Range<Int> { starts[output]..<starts[output + 1] }

    static func pixel(_ sum: Int32) -> UInt8 { UInt8(clamping: sum >> precisionBits) }
}

/// Halves go to the even neighbour, as Python rounds.
func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
