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

    /** Of a file that loses something: there two decoders may give other pixels. Null: it loses nothing. */
    val lossy: Lossy? get() = null

    /** Rows [top] until [top] + [rows] as RGB bytes, row by row, into the beginning of [into]. */
    fun read(top: Int, rows: Int, into: ByteArray)

    override fun close() {}
}

/** Kinds of lossy files, each with a golden file by which a phone's decoder is judged. [key]: in rows and stored tables. */
enum class Lossy(val key: String) {
    /** WebP and AVIF too, which have no golden file of their own. */
    JPEG("decoder"),
    HEIC("decoder_heic"),
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

/** Of a photo that are read at a time: 400 kB as RGB, what a core's cache holds. */
const val BAND_PIXELS = 1 shl 17

/** Smallest side of a photo: the backbones halve it five times, below this nothing is left to judge. */
const val MIN_SIDE_PX = 32

/** Room for the largest phone sensors (16320x12240). */
const val MAX_PIXELS = 200_000_000L

/** Each of these rows once, from the top. [take] is told the row's number, and where in a band it begins. */
inline fun Photo.forEachRow(rows: IntRange, take: (y: Int, band: ByteArray, at: Int) -> Unit) {
    val stride = size.width * 3
    val most = (BAND_PIXELS / size.width).coerceIn(1, rows.last - rows.first + 1)
    val band = ByteArray(most * stride)
    for (top in rows step most) {
        val count = minOf(most, rows.last - top + 1)
        read(top, count, band)
        for (y in 0 until count) take(top + y, band, y * stride)
    }
}

/** All pixels into the front of a direct buffer, band by band. */
fun Photo.copyTo(target: ByteBuffer) = forEachRow(0 until size.height) { _, band, at -> target.put(band, at, size.width * 3) }

/** Refuse a size by what the header says, before memory is taken for pixels. */
fun checkHeader(size: PhotoSize) {
    val pixels = size.width.toLong() * size.height
    if (pixels > MAX_PIXELS) {
        refuse(Text.TOO_LARGE, MAX_PIXELS / 1_000_000, "$size (${"%.1f".format(java.util.Locale.ROOT, pixels / 1e6)} megapixels)")
    }
    if (minOf(size.width, size.height) < MIN_SIDE_PX) refuse(Text.TOO_SMALL, size, MIN_SIDE_PX)
}

/** A pixel, alpha in its highest byte, over white: its colours are the three lower bytes. */
fun overWhite(argb: Int): Int {
    val alpha = argb ushr 24
    if (alpha == 255) return argb
    val red = overWhite(argb shr 16 and 255, alpha)
    val green = overWhite(argb shr 8 and 255, alpha)
    return red shl 16 or (green shl 8) or overWhite(argb and 255, alpha)
}

/**
 * One channel, rounded as Pillow's `alpha_composite` rounds over an opaque picture: `(c a + 255 (255 - a)) / 255` in steps
 * of 1/128, to the nearest.
 */
private fun overWhite(channel: Int, alpha: Int): Int {
    if (alpha == 0) return 255
    val sum = (channel * alpha + 255 * (255 - alpha)) * 128 + (128 shl 7)
    return ((sum shr 8) + sum shr 8) shr 7
}
