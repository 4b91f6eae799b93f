package org.lariqa.core.pixels

import java.io.File
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Test
import org.lariqa.core.Counted
import org.lariqa.core.Pack
import org.lariqa.core.bytes
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.PreprocessSpec
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.part
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.value
import org.lariqa.core.manifest.whole
import org.lariqa.core.refusalOf
import org.lariqa.core.sha256

class PhotoInputTest {
    private val spec = PreprocessSpec.read(Pack.goldenJson.part("model").part("preprocess"))
    private val rows = Pack.goldenJson.list("photos").map { it.jsonObject }

    private fun photo(file: String) = Pack.photo(File(Pack.golden, file))

    @Test
    fun `the golden photos decode to the same bytes`() {
        assertEquals(2, rows.size)
        for (row in rows) assertEquals(row.part("decoded").text("sha256"), sha256(photo(row.text("file")).bytes()))
    }

    @Test
    fun `the authentic view is Pillow's, byte for byte`() {
        for (row in rows) {
            val expected = File(Pack.golden, row.part("authentic").text("file")).readBytes()
            val made = viewsOf(photo(row.text("file")), spec, listOf("authentic")).getValue("authentic")
            assertContentEquals(expected, made.bytes(), row.text("file"))
        }
    }

    @Test
    fun `the synthetic view is torchvision's crop, byte for byte`() {
        for (row in rows) {
            val pixels = viewsOf(photo(row.text("file")), spec, listOf("synthetic")).getValue("synthetic")
            assertEquals(row.part("synthetic").text("sha256"), sha256(pixels))
            for (spot in row.part("synthetic").list("pixels")) {
                val (y, x) = spot.jsonArray.take(2).map { it.jsonPrimitive.int }
                val rgb = List(3) { pixels[(y * spec.syntheticCropPx + x) * 3 + it].toInt() and 255 }
                assertEquals(spot.jsonArray.drop(2).map { it.jsonPrimitive.int }, rgb)
            }
        }
    }

    @Test
    fun `normalised values are those of PyTorch`() {
        val tolerance = Pack.goldenJson.part("tolerance").value("normalised").double
        for (row in rows) {
            val views = viewsOf(photo(row.text("file")), spec, listOf("authentic", "synthetic"))
            for ((view, spots) in row.part("normalised")) {
                val values = normalise(views.getValue(view), spec)
                val side = if (view == "authentic") spec.authenticSidePx else spec.syntheticCropPx
                for (spot in spots.jsonArray) {
                    val (c, y, x) = spot.jsonArray.take(3).map { it.jsonPrimitive.int }
                    val expected = spot.jsonArray[3].jsonPrimitive.double
                    assertEquals(expected, values[(c * side + y) * side + x].toDouble(), tolerance)
                }
            }
        }
    }

    @Test
    fun `a photo of another size fits as Python fits it, byte for byte`() {
        val whole = Pack.tinyPhoto("bundled_3840x2160")
        val fits = Pack.vectors.list("fits").map { it.jsonObject }
        assertTrue(fits.size >= 5 && fits.map { it.text("sha256") }.distinct().size == fits.size)
        for (fit in fits) {
            fun whole(key: String) = fit.value(key).int
            val cut = Cut(whole, whole("left"), whole("top"), PhotoSize(whole("width"), whole("height")))
            val takes = PhotoSize(whole("to_width"), whole("to_height"))
            val pixels = pixelsOf(cut, takes, fit = true)
            assertEquals(fit.text("sha256"), sha256(pixels), "${cut.size} to $takes")
        }
    }

    @Test
    fun `a photo of the right size passes unchanged`() {
        val photo = Pack.tinyPhoto("original")
        assertContentEquals(photo.bytes(), pixelsOf(photo, photo.size, fit = true).bytes())
    }

    @Test
    fun `transparency lies over white as in Pillow`() {
        val (rgba, rgb) = listOf("rgba", "rgb").map { key ->
            Pack.vectors.part("over_white").list(key).map { pixel -> pixel.jsonArray.map { it.jsonPrimitive.int } }
        }
        assertTrue(rgba.map { it[3] }.distinct().size > 200)
        for ((pixel, expected) in rgba.zip(rgb)) {
            val (red, green, blue, alpha) = pixel
            val over = overWhite(alpha shl 24 or (red shl 16) or (green shl 8) or blue)
            assertEquals(expected, listOf(over shr 16 and 255, over shr 8 and 255, over and 255))
        }
    }

    @Test
    fun `refusals are Python's words`() {
        val python = Pack.vectors.part("sentences")
        val big = Pack.tinyPhoto("bundled_3840x2160")
        val ours = refusalOf { pixelsOf(big, PhotoSize(200, 150), fit = false) }.toString()
        // The one difference: a phone has a switch where the command has a flag.
        assertEquals(python.text("DOES_NOT_FIT").replace("pass --fit", "turn on Fit"), ours)
        assertEquals(python.text("TOO_SMALL"), refusalOf { checkHeader(PhotoSize(40, 20)) }.toString())
    }

    @Test
    fun `a header that claims too much is refused before memory is taken`() {
        val sentence = refusalOf { checkHeader(PhotoSize(20_000, 10_001)) }
        assertEquals("expected at most 200 megapixels, came 20000x10001 (200.0 megapixels); scale or crop the photo", "$sentence")
    }

    @Test
    fun `a photo is fitted from one reading, in bands`() {
        val counted = Counted(Pack.tinyPhoto("bundled_3840x2160"))
        pixelsOf(counted, PhotoSize(200, 150), fit = true)
        assertTrue(counted.rows <= 2160 && counted.most <= BAND_PIXELS / 3840, "${counted.rows} rows, ${counted.most} at once")
    }

    @Test
    fun `the golden photo mirrors its tile`() {
        val tile = PixelPhoto(PhotoSize(2, 3), ByteArray(18) { it.toByte() })
        val photo = GoldenPhoto(tile, PhotoSize(5, 7))
        val reds = List(7) { y -> ByteArray(15).also { photo.read(y, 1, it) }.filterIndexed { i, _ -> i % 3 == 0 }.map { it.toInt() } }
        assertEquals(listOf(0, 3, 3, 0, 0), reds[0])
        assertEquals(listOf(0, 6, 12, 12, 6, 0, 0), reds.map { it[0] })
    }

    /** A part of a photo, as a photo. */
    private class Cut(val whole: Photo, val left: Int, val top: Int, override val size: PhotoSize) : Photo {
        private val row = ByteArray(whole.size.width * 3)

        override fun read(top: Int, rows: Int, into: ByteArray) {
            for (y in 0 until rows) {
                whole.read(this.top + top + y, 1, row)
                System.arraycopy(row, left * 3, into, y * size.width * 3, size.width * 3)
            }
        }
    }
}
