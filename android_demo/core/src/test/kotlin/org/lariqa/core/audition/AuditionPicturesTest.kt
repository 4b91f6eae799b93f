package org.lariqa.core.audition

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlinx.serialization.json.jsonObject
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Text
import org.lariqa.core.bytes
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.part
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.whole
import org.lariqa.core.pixels.GoldenPhoto
import org.lariqa.core.pixels.Photo
import org.lariqa.core.sha256

/** The generated pictures against those of Python, and what is done about ones that this version does not know. */
class AuditionPicturesTest {
    private val views = Pack.views
    private val artifact = views.manifest.artifact("onnx")
    private val tile get() = Pack.photo(File(Pack.exports, "views/golden.png"))

    @Test
    fun `each picture is Python's byte for byte, at a usual size and at an odd one`() {
        val vectors = Pack.vectors.part("audition")
        assertEquals(GeneratedPhoto.GENERATOR, vectors.text("generator"))
        val rows = vectors.list("pictures").map { it.jsonObject }
        assertEquals(12, rows.map { it.text("sha256") }.distinct().size)
        for (row in rows) {
            val size = PhotoSize(row.whole("width")!!, row.whole("height")!!)
            val name = row.text("picture")
            val photo = if (name == "golden.jpg") {
                GoldenPhoto(Pack.photo(File(Pack.exports, "views/golden_jpg.png")), size)
            } else {
                assertNotNull(GeneratedPhoto.of(name, tile, size), name)
            }
            assertEquals(row.text("sha256"), sha256(photo.bytes()), "$name $size")
        }
    }

    @Test
    fun `rows may be read in any order and any number`() {
        val size = PhotoSize(77, 131)
        for (name in listOf("dark", "washed", "flat", "texture", "gradient")) {
            val whole = assertNotNull(GeneratedPhoto.of(name, tile, size)).bytes()
            val photo = assertNotNull(GeneratedPhoto.of(name, tile, size))
            for ((top, rows) in listOf(100 to 31, 3 to 1, 64 to 5)) {
                val part = ByteArray(rows * size.width * 3).also { photo.read(top, rows, it) }
                assertTrue(part.contentEquals(whole.copyOfRange(top * size.width * 3, (top + rows) * size.width * 3)), name)
            }
        }
    }

    @Test
    fun `an export for any size brings the golden photo and six pictures, whose scores differ`() {
        val set = AuditionPictures.of(artifact, views, Pack::photo)
        assertEquals(listOf("golden.png", "dark", "washed", "flat", "texture", "gradient", "golden.jpg"), set.all.map { it.name })
        assertEquals(emptyList(), set.notes)
        val references = set.all.map { it.reference }
        assertTrue(references.max() - references.min() > 0.05, "$references")
        assertTrue(set.all.drop(1).all { it.open().size == artifact.audition.first().size })
    }

    @Test
    fun `an older export is judged by the golden photo alone, and says so`() {
        val set = AuditionPictures.of(artifact.copy(audition = emptyList()), views, Pack::photo)
        assertEquals(listOf("golden.png"), set.all.map { it.name })
        assertEquals(listOf(Text.AUDITION_GOLDEN_ALONE), set.notes.map { it.text })
    }

    @Test
    fun `a picture or a generator that this version does not know is left out, and named`() {
        val fog = artifact.copy(audition = artifact.audition + artifact.audition.first().copy(picture = "fog"))
        val set = AuditionPictures.of(fog, views, Pack::photo)
        assertEquals(7, set.all.size)
        assertEquals("${Text.AUDITION_UNKNOWN.of("fog")}", "${set.notes.single()}")
        assertNull(GeneratedPhoto.of("fog", tile, PhotoSize(40, 40)))
        val golden = assertNotNull(views.manifest.golden).copy(generator = "lariqa-audition/2")
        val other = org.lariqa.core.manifest.ExportFolder(views.folder, views.manifest.copy(golden = golden))
        assertEquals(listOf("golden.png", "golden.jpg"), AuditionPictures.of(artifact, other, Pack::photo).all.map { it.name })
    }

    @Test
    fun `pixels of the golden JPEG that were changed are refused before they can prove anything`() {
        val folder = Pack.copyOf("views")
        File(folder, "golden_jpg.png").appendText("x")
        val export = org.lariqa.core.manifest.ExportFolder.open(folder)
        val open: (File) -> Photo = Pack::photo
        assertEquals(Text.FILE_DIFFERS, org.lariqa.core.refusalOf { AuditionPictures.of(artifact, export, open) }.text)
    }
}
