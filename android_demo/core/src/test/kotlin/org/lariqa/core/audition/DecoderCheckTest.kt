package org.lariqa.core.audition

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Text
import org.lariqa.core.bytes
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.PixelPhoto
import org.lariqa.core.refusalOf
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer

/** Decoders that agree, that differ a little and that differ much, on the golden JPEG of a real export. */
class DecoderCheckTest {
    private val export = Pack.views
    private val artifact = export.manifest.artifact("onnx")

    private fun check(decode: (File) -> Photo): DecoderCheck? =
        Scorer(artifact, export.manifest.preprocess, Pack.openOnnx(export.verified(artifact) {}, artifact, RuntimeChoice.ONNX_CPU))
            .use { DecoderCheck.of(export, it, "a decoder 1", decode) }

    /** Python's pixels of the JPEG, with [change] made to each value. */
    private fun off(change: (Int) -> Int): (File) -> Photo = { file ->
        val photo = Pack.photoAsPython(file)
        if (file.name != "golden.jpg") photo else {
            PixelPhoto(photo.size, photo.bytes().map { change(it.toInt() and 255).coerceIn(0, 255).toByte() }.toByteArray())
        }
    }

    @Test
    fun `Java's own decoder gives Python's bytes, and nothing is said beside a score`() {
        val found = assertNotNull(check(Pack::photo))
        assertEquals(Levels(0, 0.0, 0.0), found.levels)
        assertEquals(0.0, found.effect)
        assertEquals(found.reference!!, found.score!!, 1e-4)
        assertNull(found.caveat)
        assertEquals(Text.DECODER_SAME, found.summary.text)
    }

    @Test
    fun `a decoder that is far off is named beside every score, with its levels and with what it moves`() {
        val found = assertNotNull(check(off { it + 18 }))
        assertEquals(18, found.levels.worst)
        assertTrue(found.levels.differingShare > 0.9 && found.levels.mean > 10, "${found.levels}")
        val caveat = assertNotNull(found.caveat)
        assertEquals(listOf("a decoder 1", "18", "golden.jpg"), caveat.facts.take(3))
        assertTrue(found.effect!! > 1e-4)
        assertEquals(found.effect!!, Math.abs(found.score!! - found.reference!!), 2e-4)
    }

    @Test
    fun `one that is off by less than matters is not`() {
        var seen = 0
        val found = assertNotNull(check(off { if (++seen == 1000) it xor 1 else it }))
        assertEquals(1, found.levels.worst)
        assertNull(found.caveat)
        assertEquals(Text.DECODER_CLOSE, found.summary.text)
    }

    @Test
    fun `a picture of another size and a changed file are refused`() {
        val turned: (File) -> Photo = { file ->
            val photo = Pack.photoAsPython(file)
            if (file.name == "golden.jpg") PixelPhoto(PhotoSize(photo.size.height, photo.size.width), photo.bytes()) else photo
        }
        assertEquals(Text.OTHER_SIZE, refusalOf { check(turned) }.text)
    }

    @Test
    fun `a file for one size, which has no audition, still tells what the decoder moves`() {
        val tiny = Pack.tiny
        val onnx = tiny.manifest.artifact("onnx")
        val scorer = Scorer(onnx, tiny.manifest.preprocess, Pack.openOnnx(tiny.verified(onnx) {}, onnx, RuntimeChoice.ONNX_CPU))
        val found = assertNotNull(scorer.use { DecoderCheck.of(tiny, it, "a decoder 1", off { value -> value + 18 }) })
        assertNull(found.reference)
        assertTrue(found.effect!! > 1e-4)
        assertEquals(Text.DECODER_OFF, found.caveat?.text)
    }

    @Test
    fun `an older export has nothing to check`() {
        val manifest = export.manifest.copy(golden = export.manifest.golden!!.copy(jpeg = null))
        val older = org.lariqa.core.manifest.ExportFolder(export.folder, manifest)
        val scorer = Scorer(artifact, manifest.preprocess, Pack.openOnnx(export.verified(artifact) {}, artifact, RuntimeChoice.ONNX_CPU))
        assertNull(scorer.use { DecoderCheck.of(older, it, "x", Pack::photo) })
    }
}
