package org.lariqa.core.audition

import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.GoldenPhoto
import org.lariqa.core.pixels.Photo

/**
 * A picture of the audition, made of the golden tile in whole numbers, row by row and byte for byte as Python makes it
 * (`lariqa/photos/audition.py`, which says what each is there for). `g` is the golden photo of that size.
 */
class GeneratedPhoto private constructor(private val kind: Kind, tile: Photo, override val size: PhotoSize) : Photo {
    private val golden = GoldenPhoto(tile, size)
    private val row = ByteArray(size.width * 3)
    private var at = -1 // which row of the golden photo that is

    override fun read(top: Int, rows: Int, into: ByteArray) {
        var next = 0
        for (y in top until top + rows) {
            for (x in 0 until size.width) for (c in 0 until 3) into[next++] = value(y, x, c).toByte()
        }
    }

    private fun value(y: Int, x: Int, c: Int): Int = when (kind) {
        Kind.DARK -> golden(y, x, c) / 4
        Kind.WASHED -> 160 + golden(y, x, c) * 3 / 8
        Kind.FLAT -> golden(y / SQUARE_PX * SQUARE_PX, x / SQUARE_PX * SQUARE_PX, c)
        Kind.TEXTURE -> (3 * golden(y, x, c) + noise(y, x, c)) / 4
        Kind.GRADIENT -> when (c) {
            0 -> x * 255 / right
            1 -> y * 255 / bottom
            else -> x * 128 / right + y * 127 / bottom
        }
    }

    private val right = (size.width - 1).coerceAtLeast(1)
    private val bottom = (size.height - 1).coerceAtLeast(1)

    private fun golden(y: Int, x: Int, c: Int): Int {
        if (y != at) golden.read(y, 1, row)
        at = y
        return row[x * 3 + c].toInt() and 255
    }

    private enum class Kind { DARK, WASHED, FLAT, TEXTURE, GRADIENT }

    companion object {
        /** The rules that this class implements, as manifests name them. */
        const val GENERATOR = "lariqa-audition/1"
        private const val SQUARE_PX = 64

        /** Null: this version knows no picture of that [name]. */
        fun of(name: String, tile: Photo, size: PhotoSize): Photo? =
            Kind.entries.firstOrNull { it.name.lowercase() == name }?.let { GeneratedPhoto(it, tile, size) }

        /** The low byte of a hash of the place, in 32 bits that wrap around. */
        private fun noise(y: Int, x: Int, c: Int): Int {
            var v = y * 73_856_093 xor x * 19_349_663 xor c * 83_492_791
            v = (v xor (v ushr 16)) * 0x7feb352d
            v = (v xor (v ushr 15)) * 0x846ca68b.toInt()
            return v xor (v ushr 16) and 255
        }
    }
}
