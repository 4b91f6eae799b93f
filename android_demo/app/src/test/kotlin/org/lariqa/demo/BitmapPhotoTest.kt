package org.lariqa.demo

import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.graphics.ImageDecoder
import android.net.Uri
import java.io.File
import java.nio.ByteBuffer
import java.security.MessageDigest
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import org.json.JSONObject
import org.junit.Test
import org.lariqa.BitmapPhoto
import org.lariqa.core.Refusal
import org.lariqa.core.Text
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.Photo

/** The real ImageDecoder (Robolectric's native graphics are Android's own code) against Python's decoder. */
class BitmapPhotoTest : AppTest() {
    private val folder = File(exports, "decoding")
    private val expected = JSONObject(File(folder, "expected.json").readText())

    private fun Photo.bytes() = ByteArray(size.width * size.height * 3).also { read(0, size.height, it) }

    private fun sha256(bytes: ByteArray) =
        MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

    private fun refusal(file: File) =
        assertFailsWith<Refusal> { BitmapPhoto.open(app.contentResolver, Uri.fromFile(file)) }.sentence

    @Test
    fun `every kind of picture decodes to Python's bytes`() {
        val names = expected.keys().asSequence().toList()
        assertTrue(names.size >= 12)
        val different = names.filter { name ->
            val row = expected.getJSONObject(name)
            BitmapPhoto.open(File(folder, name)).use { photo ->
                photo.size != PhotoSize(row.getInt("width"), row.getInt("height")) || sha256(photo.bytes()) != row.getString("sha256")
            }
        }
        assertEquals(emptyList(), different)
    }

    @Test
    fun `all eight orientations come out upright and alike`() {
        val sizes = (1..8).map { n -> BitmapPhoto.open(File(folder, "turned_$n.jpg")).use { it.size } }
        assertEquals(List(4) { PhotoSize(200, 150) } + List(4) { PhotoSize(150, 200) }, sizes)
    }

    @Test
    fun `a colour profile does not move the values`() {
        val side = 40
        val pixels = IntArray(side * side) { 0xFF000000.toInt() or (it * 7919 and 0xFFFFFF) }
        val tagged = Bitmap.createBitmap(side, side, Bitmap.Config.ARGB_8888)
        tagged.setPixels(pixels, 0, side, 0, 0, side, side)
        tagged.setColorSpace(ColorSpace.get(ColorSpace.Named.DISPLAY_P3)) // the same values, declared to be others
        val file = File.createTempFile("display_p3", ".png", app.cacheDir)
        file.outputStream().use { tagged.compress(Bitmap.CompressFormat.PNG, 100, it) }
        assertTrue("iCCP" in String(file.readBytes().copyOf(200), Charsets.ISO_8859_1), "the file carries the profile")
        val managed = ImageDecoder.decodeBitmap(ImageDecoder.createSource(ByteBuffer.wrap(file.readBytes())))
        assertNotEquals(pixels[1], managed.copy(Bitmap.Config.ARGB_8888, false).getPixel(1, 0), "Android would convert")
        val rgb = pixels.flatMap { listOf(it shr 16, it shr 8, it) }.map { it.toByte() }.toByteArray()
        BitmapPhoto.open(file).use { assertContentEquals(rgb, it.bytes()) }
    }

    @Test
    fun `a file that is not a whole photo is a sentence`() {
        assertEquals(Text.DAMAGED_PHOTO, refusal(File(folder, "truncated.jpg")).text)
        assertEquals(Text.NOT_A_PHOTO, refusal(File(folder, "text.jpg")).text)
        assertEquals(Text.EMPTY_PHOTO, refusal(File(folder, "empty.jpg")).text)
        assertEquals(Text.PHOTO_GONE, refusal(File(folder, "nothing.jpg")).text)
    }

    @Test
    fun `a photo below the least size is refused by its header`() {
        val file = File.createTempFile("small", ".png", app.cacheDir)
        val small = Bitmap.createBitmap(40, 20, Bitmap.Config.ARGB_8888)
        file.outputStream().use { small.compress(Bitmap.CompressFormat.PNG, 100, it) }
        assertEquals("the photo is 40x20 px; the model needs at least 32 px on each side", "${refusal(file)}")
    }
}
