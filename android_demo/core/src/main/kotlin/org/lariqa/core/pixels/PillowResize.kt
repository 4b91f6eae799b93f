package org.lariqa.core.pixels

import org.lariqa.core.manifest.PhotoSize

/**
 * Pillow's antialiased bilinear resize of 8-bit pictures, byte for byte: first along the width, then along the height.
 *
 *     out_i = (2^21 + sum_j k_ij in_j) >> 22,     k_ij = round(2^22 triangle_ij / sum_j triangle_ij)
 *
 * Source: Pillow, src/libImaging/Resample.c; the Python twin is export/rewrite/pillow_resize.py.
 */
class BilinearFilters(val inputs: Int, val outputs: Int) {
    /** Output i sees inputs `first[i]` until `first[i] + weights[i].size`. */
    val first = IntArray(outputs)
    val weights: Array<IntArray>

    init {
        val scale = inputs.toDouble() / outputs
        val support = maxOf(scale, 1.0)
        weights = Array(outputs) { i ->
            val center = (i + 0.5) * scale // in input samples
            first[i] = maxOf((center - support + 0.5).toInt(), 0)
            val last = minOf((center + support + 0.5).toInt(), inputs)
            val triangle = DoubleArray(last - first[i]) { maxOf(0.0, 1.0 - Math.abs((first[i] + it - center + 0.5) * (1.0 / support))) }
            var total = 0.0
            for (value in triangle) total += value // one by one, as Pillow does: another order could round another way
            IntArray(triangle.size) { Math.floor(triangle[it] / total * ONE + 0.5).toInt() }
        }
    }

    val mostTaps: Int = weights.maxOf { it.size }

    companion object {
        const val BITS = 22
        const val ONE = 1 shl BITS
        const val HALF = 1 shl (BITS - 1)
    }
}

/**
 * A part of a resized photo: the photo scaled to [scaled], of that the rows from [top] and columns from [left].
 * Only what the part sees is read, once, band by band; the rows between the two passes live in a ring.
 */
fun resizedPart(photo: Photo, scaled: PhotoSize, left: Int, top: Int, part: PhotoSize, emit: (ByteArray) -> Unit) {
    val across = BilinearFilters(photo.size.width, scaled.width)
    val down = BilinearFilters(photo.size.height, scaled.height)
    val ring = Array(down.mostTaps) { ByteArray(part.width * 3) }
    val sums = IntArray(part.width * 3)
    val out = ByteArray(part.width * 3)
    val stride = photo.size.width * 3
    val band = ByteArray(BAND_ROWS * stride)
    var bandTop = 0
    var bandEnd = 0
    var next = down.first[top] // the first source row that is not yet in the ring
    for (y in top until top + part.height) {
        val begin = down.first[y]
        val weights = down.weights[y]
        next = maxOf(next, begin)
        while (next < begin + weights.size) {
            if (next >= bandEnd) {
                bandTop = next
                bandEnd = minOf(next + BAND_ROWS, photo.size.height)
                photo.read(bandTop, bandEnd - bandTop, band)
            }
            alongWidth(band, (next - bandTop) * stride, across, left, ring[next % ring.size])
            next++
        }
        sums.fill(BilinearFilters.HALF)
        for (tap in weights.indices) {
            val row = ring[(begin + tap) % ring.size]
            val weight = weights[tap]
            for (i in sums.indices) sums[i] += weight * (row[i].toInt() and 255)
        }
        for (i in out.indices) out[i] = (sums[i] shr BilinearFilters.BITS).toByte()
        emit(out)
    }
}

private fun alongWidth(source: ByteArray, from: Int, filters: BilinearFilters, left: Int, out: ByteArray) {
    for (x in 0 until out.size / 3) {
        val weights = filters.weights[left + x]
        var at = from + filters.first[left + x] * 3
        var red = BilinearFilters.HALF
        var green = BilinearFilters.HALF
        var blue = BilinearFilters.HALF
        for (weight in weights) {
            red += weight * (source[at].toInt() and 255)
            green += weight * (source[at + 1].toInt() and 255)
            blue += weight * (source[at + 2].toInt() and 255)
            at += 3
        }
        out[3 * x] = (red shr BilinearFilters.BITS).toByte()
        out[3 * x + 1] = (green shr BilinearFilters.BITS).toByte()
        out[3 * x + 2] = (blue shr BilinearFilters.BITS).toByte()
    }
}
