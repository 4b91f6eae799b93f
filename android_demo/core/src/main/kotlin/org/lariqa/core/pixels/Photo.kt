package org.lariqa.core.pixels

import java.nio.ByteBuffer
import org.lariqa.core.Text
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.refuse

/**
 * A decoded photo, upright, as 8-bit RGB. Rows are read in bands, so that a phone holds the decoder's picture and the
 * model's input, never a second whole photo.
 */
interface Photo : AutoCloseable {
    val size: PhotoSize

    /** Rows [top] until [top] + [rows] as RGB bytes, row by row, into the beginning of [into]. */
    fun read(top: Int, rows: Int, into: ByteArray)

    override fun close() {}
}

/** A photo that already lies in memory as RGB bytes. */
class PixelPhoto(override val size: PhotoSize, private val rgb: ByteArray) : Photo {
    init {
        require(rgb.size == size.width * size.height * 3) { "$size needs ${size.width * size.height * 3} bytes, got ${rgb.size}" }
    }

    override fun read(top: Int, rows: Int, into: ByteArray) {
        System.arraycopy(rgb, top * size.width * 3, into, 0, rows * size.width * 3)
    }
}

/** Rows per band: a 100-megapixel row is 35 kB, so a band stays near a megabyte. */
const val BAND_ROWS = 32

/** Smallest side of a photo: the backbones halve it five times, below this nothing is left to judge. */
const val MIN_SIDE_PX = 32

/** Room for the largest phone sensors (16320x12240). */
const val MAX_PIXELS = 200_000_000L

/** All pixels into the front of a direct buffer, band by band. */
fun Photo.copyTo(target: ByteBuffer) {
    val band = ByteArray(BAND_ROWS * size.width * 3)
    for (top in 0 until size.height step BAND_ROWS) {
        val rows = minOf(BAND_ROWS, size.height - top)
        read(top, rows, band)
        target.put(band, 0, rows * size.width * 3)
    }
}

/** Refuse a size by what the header says, before memory is taken for pixels. */
fun checkHeader(size: PhotoSize) {
    val pixels = size.width.toLong() * size.height
    if (pixels > MAX_PIXELS) {
        refuse(Text.TOO_LARGE, MAX_PIXELS / 1_000_000, "$size (${"%.1f".format(java.util.Locale.ROOT, pixels / 1e6)} megapixels)")
    }
    if (minOf(size.width, size.height) < MIN_SIDE_PX) refuse(Text.TOO_SMALL, size, MIN_SIDE_PX)
}

/**
 * One channel of a transparent pixel over white, rounded as Pillow's `alpha_composite` rounds over an opaque picture:
 * `(c a + 255 (255 - a)) / 255` in steps of 1/128, to the nearest.
 */
fun overWhite(channel: Int, alpha: Int): Int {
    if (alpha == 255) return channel
    if (alpha == 0) return 255
    val sum = (channel * alpha + 255 * (255 - alpha)) * 128 + (128 shl 7)
    return ((sum shr 8) + sum shr 8) shr 7
}
