package org.lariqa.core.pixels

import org.lariqa.core.manifest.PhotoSize

/**
 * One axis of Pillow's antialiased bilinear resize of 8-bit pictures:
 *
 *     out_i = (2^21 + sum_j k_ij in_j) >> 22,     k_ij = round(2^22 triangle_ij / sum_j triangle_ij)
 *
 * Source: Pillow, src/libImaging/Resample.c; the Python twin is export/rewrite/pillow_resize.py.
 */
class BilinearFilter(private val inputs: Int, outputs: Int) {
    private val scale = inputs.toDouble() / outputs
    private val support = maxOf(scale, 1.0)

    /** Output [i] sees the inputs from this one on, as many as it has weights. */
    fun first(i: Int): Int = maxOf((center(i) - support + 0.5).toInt(), 0)

    /** k_ij of output [i]. */
    fun weights(i: Int): IntArray {
        val first = first(i)
        val last = minOf((center(i) + support + 0.5).toInt(), inputs)
        val triangle = DoubleArray(last - first) { maxOf(0.0, 1.0 - Math.abs((first + it - center(i) + 0.5) * (1.0 / support))) }
        var total = 0.0
        for (value in triangle) total += value // one by one, as Pillow does: another order could round another way
        return IntArray(triangle.size) { Math.floor(triangle[it] / total * ONE + 0.5).toInt() }
    }

    /** In input samples. */
    private fun center(i: Int): Double = (i + 0.5) * scale

    companion object {
        const val BITS = 22
        const val ONE = 1 shl BITS
        const val HALF = 1 shl (BITS - 1)
    }
}

/**
 * A part of a resized photo, byte for byte as Pillow makes it: the photo scaled to [scaled], of that the rows from [top]
 * and the columns from [left]. First along the width, then along the height.
 *
 * The photo's rows come one by one. Each is narrowed, then added to the rows of the result that see it: two or three where
 * the photo is made smaller. A row of the result is handed to [emit] when the last row that it sees is there.
 */
class ResizedRows(
    photo: PhotoSize, scaled: PhotoSize, left: Int, private val top: Int, private val part: PhotoSize,
    private val emit: (ByteArray) -> Unit,
) {
    private val across = BilinearFilter(photo.width, scaled.width)
    private val down = BilinearFilter(photo.height, scaled.height)
    private val firstPixel = IntArray(part.width) { across.first(left + it) }
    private val pixelWeights = Array(part.width) { across.weights(left + it) }

    private val narrow = IntArray(part.width * 3)
    private val begun = ArrayDeque<Sums>()
    private val spare = ArrayDeque<Sums>()
    private var next = 0 // the first row of the part that is not begun
    private val out = ByteArray(part.width * 3)

    /** The rows of the photo that the part sees. */
    val rows: IntRange = (top + part.height - 1).let { last -> down.first(top) until down.first(last) + down.weights(last).size }

    /** The row [y] of the photo, which begins at [at] in [band]. All of [rows] must come, in their order. */
    fun take(y: Int, band: ByteArray, at: Int) {
        alongWidth(band, at)
        while (next < part.height && down.first(top + next) <= y) {
            begun += (spare.removeLastOrNull() ?: Sums(part.width * 3)).begin(down.first(top + next), down.weights(top + next))
            next++
        }
        for (sums in begun) sums.add(y, narrow)
        while (begun.isNotEmpty() && begun.first().last == y) {
            val sums = begun.removeFirst()
            for (i in out.indices) out[i] = (sums.values[i] shr BilinearFilter.BITS).toByte()
            spare += sums
            emit(out)
        }
    }

    private fun alongWidth(band: ByteArray, row: Int) {
        for (x in pixelWeights.indices) {
            var at = row + firstPixel[x] * 3
            var red = BilinearFilter.HALF
            var green = BilinearFilter.HALF
            var blue = BilinearFilter.HALF
            for (weight in pixelWeights[x]) {
                red += weight * (band[at].toInt() and 255)
                green += weight * (band[at + 1].toInt() and 255)
                blue += weight * (band[at + 2].toInt() and 255)
                at += 3
            }
            narrow[3 * x] = red shr BilinearFilter.BITS
            narrow[3 * x + 1] = green shr BilinearFilter.BITS
            narrow[3 * x + 2] = blue shr BilinearFilter.BITS
        }
    }

    /** One row of the result in the making. */
    private class Sums(size: Int) {
        val values = IntArray(size)
        private var first = 0
        private var weights = IntArray(0)
        val last get() = first + weights.size - 1

        fun begin(first: Int, weights: IntArray): Sums {
            this.first = first
            this.weights = weights
            values.fill(BilinearFilter.HALF)
            return this
        }

        fun add(y: Int, row: IntArray) {
            val weight = weights[y - first]
            for (i in values.indices) values[i] += weight * row[i]
        }
    }
}
