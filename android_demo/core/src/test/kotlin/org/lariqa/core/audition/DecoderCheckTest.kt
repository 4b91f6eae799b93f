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
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.PixelPhoto
import org.lariqa.core.refusalOf
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer

/** Decoders that agree, that differ a little and that differ much, on the golden files of a real export. */
class DecoderCheckTest {
    private val export = Pack.views
    private val artifact = export.manifest.artifact("onnx")

    private fun scorer() =
        Scorer(artifact, export.manifest.preprocess, Pack.openOnnx(export.verified(artifact) {}, artifact, RuntimeChoice.ONNX_CPU))

    private fun check(kind: Lossy = Lossy.JPEG, decode: (File) -> Photo): DecoderCheck =
        scorer().use { DecoderCheck.of(export, export.manifest.golden!!.lossy.getValue(kind), it, "a decoder 1", decode) }

    private fun decoders(export: ExportFolder = this.export, decode: (File) -> Photo) =
        scorer().use { Decoders.of(export, it, "a decoder 1", decode) }

    /** Python's pixels of a golden file, with [change] made to each value. */
    private fun off(name: String = "golden.jpg", change: (Int) -> Int): (File) -> Photo = { file ->
        val photo = Pack.photoAsPython(file)
        if (file.name != name) photo else {
            PixelPhoto(photo.size, photo.bytes().map { change(it.toInt() and 255).coerceIn(0, 255).toByte() }.toByteArray())
        }
    }

    @Test
    fun `Java's own decoder gives Python's bytes, and nothing is said beside a score`() {
        val found = check(decode = Pack::photo)
        assertEquals(Levels(0, 0.0, 0.0), found.levels)
        assertEquals(0.0, found.effect)
        assertEquals(found.reference!!, found.score!!, 1e-4)
        assertNull(found.caveat)
        assertEquals(Text.DECODER_SAME, found.summary.text)
    }

    @Test
    fun `a decoder that is far off is named beside every score, with its levels and with what it moves`() {
        val found = check(decode = off { it + 18 })
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
        val found = check(decode = off { if (++seen == 1000) it xor 1 else it })
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
        assertEquals(Text.OTHER_SIZE, refusalOf { check(decode = turned) }.text)
    }

    @Test
    fun `a file for one size, which has no audition, still tells what the decoder moves`() {
        val tiny = Pack.tiny
        val onnx = tiny.manifest.artifact("onnx")
        val scorer = Scorer(onnx, tiny.manifest.preprocess, Pack.openOnnx(tiny.verified(onnx) {}, onnx, RuntimeChoice.ONNX_CPU))
        val jpeg = tiny.manifest.golden!!.lossy.getValue(Lossy.JPEG)
        val found = scorer.use { DecoderCheck.of(tiny, jpeg, it, "a decoder 1", off { value -> value + 18 }) }
        assertNull(found.reference)
        assertTrue(found.effect!! > 1e-4)
        assertEquals(Text.DECODER_OFF, found.caveat?.text)
    }

    @Test
    fun `a HEIC is judged as the JPEG is, each beside its own kind`() {
        val same = decoders(decode = Pack::photoAsPython)
        assertEquals(listOf(Text.DECODER_SAME, Text.DECODER_SAME), same.summary.map { it.text })
        assertEquals(listOf(null, null), Lossy.entries.map { same.caveat(it) })

        val found = decoders(decode = off("golden.heic") { it + 18 })
        val heic = found.checks.getValue(Lossy.HEIC)
        assertEquals(listOf(18, "golden.heic"), listOf(heic.levels.worst, heic.file))
        assertTrue(heic.effect!! > 1e-4 && heic.reference == null)
        assertEquals(listOf("a decoder 1", "18", "golden.heic"), assertNotNull(found.caveat(Lossy.HEIC)).facts.take(3))
        assertNull(found.caveat(Lossy.JPEG))
        assertEquals(listOf(Text.DECODER_SAME, Text.DECODER_OFF), found.summary.map { it.text })
    }

    @Test
    fun `a phone that does not read HEIC says so once, and beside no score`() {
        val found = decoders(decode = Pack::photo) // Java has no HEIC
        assertEquals(setOf(Lossy.JPEG), found.checks.keys)
        assertEquals(listOf(Text.DECODER_SAME, Text.NO_HEIC), found.summary.map { it.text })
        assertNull(found.caveat(Lossy.JPEG))
    }

    @Test
    fun `a golden HEIC that was changed is said beside scores of HEIC photos alone, and what is known is not tried again`() {
        val folder = Pack.copyOf("views").also { File(it, "golden.heic").writeText("other") }
        val spoiled = ExportFolder.open(folder)
        val found = decoders(spoiled, Pack::photoAsPython)
        assertEquals(Text.DECODER_UNKNOWN, found.caveat(Lossy.HEIC)?.text)
        assertNull(found.caveat(Lossy.JPEG))
        val known = decoders(decode = Pack::photoAsPython).checks
        val never: (File) -> Photo = { error("decoded again: $it") }
        assertEquals(known, scorer().use { Decoders.of(export, it, "x", never, known) }.checks)
    }

    @Test
    fun `an older export has nothing to check, or the JPEG alone, which then speaks for HEIC too`() {
        fun older(vararg kinds: Lossy): ExportFolder {
            val golden = export.manifest.golden!!
            val manifest = export.manifest.copy(golden = golden.copy(lossy = golden.lossy.filterKeys { it in kinds }))
            return ExportFolder(export.folder, manifest)
        }
        assertEquals(Decoders(), decoders(older(), Pack::photo))
        val jpeg = decoders(older(Lossy.JPEG), off { it + 18 })
        assertEquals(setOf(Lossy.JPEG), jpeg.checks.keys)
        assertEquals(Text.DECODER_OFF, jpeg.caveat(Lossy.HEIC)?.text)
    }
}
