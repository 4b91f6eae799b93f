package org.lariqa.core.pixels

import java.io.File
import java.lang.management.ManagementFactory
import java.security.MessageDigest
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import org.junit.Test
import org.lariqa.core.Counted
import org.lariqa.core.Pack
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.PreprocessSpec
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.part
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.value
import org.lariqa.core.sha256

/** Photos of odd sizes against views.json, which Pillow and torchvision made of whole pictures. */
class ViewsTest {
    private val spec = PreprocessSpec.read(Pack.goldenJson.part("model").part("preprocess"))
    private val pack = Json.parseToJsonElement(File(Pack.golden, "views.json").readText()).jsonObject
    private val rows = pack.list("photos").map { it.jsonObject }
    private val tile = Pack.photo(File(Pack.exports, "views/golden.png"))
    private val both = listOf("authentic", "synthetic")

    @Test
    fun `views of photos of odd sizes are Python's, byte for byte`() {
        assertEquals(listOf("lariqa-golden-views/1", GoldenPhoto.FILL), listOf(pack.text("schema"), pack.text("fill")))
        assertTrue(rows.size >= 6)
        for (view in both) assertEquals(rows.size, rows.map { it.text(view) }.distinct().size)
        for (row in rows) {
            val photo = GoldenPhoto(tile, PhotoSize(row.value("width").int, row.value("height").int))
            assertEquals(row.text("photo"), sha256(photo), "${photo.size}")
            for ((view, pixels) in viewsOf(photo, spec, both)) assertEquals(row.text(view), sha256(pixels), "$view of ${photo.size}")
        }
    }

    @Test
    fun `a view alone is the same, and reads only the rows that it sees`() {
        val photo = GoldenPhoto(tile, PhotoSize(3024, 4032))
        val together = viewsOf(photo, spec, both)
        for ((view, sees) in listOf("authentic" to 4032, "synthetic" to spec.syntheticCropPx)) {
            val counted = Counted(photo)
            assertEquals(together.getValue(view), viewsOf(counted, spec, listOf(view)).getValue(view), view)
            assertEquals(sees, counted.rows, view)
        }
    }

    @Test
    fun `48 megapixels are read once, in bands, and take little of the heap`() {
        val photo = Counted(GoldenPhoto(tile, PhotoSize(8064, 6048)))
        val before = allocatedBytes()
        viewsOf(photo, spec, both)
        val taken = allocatedBytes() - before
        assertEquals(6048, photo.rows)
        assertTrue(photo.most * 8064 <= BAND_PIXELS, "${photo.most} rows at once")
        assertTrue(taken < 2_000_000, "$taken bytes") // the photo: 146 MB; the views themselves lie outside of the heap
    }

    private fun allocatedBytes() = (ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean)
        .getThreadAllocatedBytes(Thread.currentThread().id)

    private fun sha256(photo: Photo): String {
        val digest = MessageDigest.getInstance("SHA-256")
        photo.forEachRow(0 until photo.size.height) { _, band, at -> digest.update(band, at, photo.size.width * 3) }
        return digest.digest().joinToString("") { "%02x".format(it) }
    }
}
