package org.lariqa.core.runtimes

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonObject
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Refusal
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.part
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.value
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.normalise
import org.lariqa.core.pixels.viewsOf
import org.lariqa.core.refusalOf

/** The real ONNX Runtime, from Maven Central, against the scores that PyTorch gave. */
class OnnxScoresTest {
    private fun open(folder: String): Pair<ExportFolder, Artifact> =
        ExportFolder.open(File(Pack.exports, folder)).let { it to it.manifest.artifacts.single { row -> row.format == "onnx" } }

    private fun runner(export: ExportFolder, artifact: Artifact) =
        OnnxRunner(export.verified(artifact) {}, artifact, RuntimeChoice.ONNX_CPU, threads = 2)

    private fun scorer(export: ExportFolder, artifact: Artifact) =
        Scorer(artifact, export.manifest.preprocess, runner(export, artifact))

    @Test
    fun `photos of many sizes score as in PyTorch with one file`() {
        val (export, artifact) = open("views")
        assertTrue(Pack.mixed.size >= 8 && Pack.mixed.values.sorted().zipWithNext { a, b -> b - a }.all { it > 1e-3 })
        scorer(export, artifact).use { scorer ->
            val sizes = Pack.mixed.map { (file, reference) ->
                val photo = Pack.photo(file)
                assertEquals(reference, scorer.score(photo, fit = false).toDouble(), 1e-5, file.name)
                photo.size
            }
            assertEquals(Pack.mixed.size, sizes.distinct().size)
        }
    }

    @Test
    fun `the golden photo has the size that its row gives`() {
        val (export, artifact) = open("views")
        val golden = requireNotNull(export.manifest.golden)
        assertEquals(PhotoSize(2016, 1512), artifact.references.getValue(golden.file).size)
        val found = scorer(export, artifact).use { SelfTest.run(it, golden, Pack.photo(export.verifiedGolden(golden)), 1e-5) }
        assertTrue(found.passed, "$found")
        val unknown = artifact.copy(references = artifact.references.mapValues { it.value.copy(size = null) })
        val sentence = scorer(export, unknown).use { refusalOf { SelfTest.run(it, golden, Pack.tinyPhoto("dark"), 1e-5) } }
        assertEquals(Text.NO_GOLDEN, sentence.text)
    }

    @Test
    fun `the header's limits are refused before the model runs`() {
        val (export, artifact) = open("views")
        scorer(export, artifact).use { scorer ->
            for ((size, text) in listOf(PhotoSize(31, 4000) to Text.TOO_SMALL, PhotoSize(20_000, 10_001) to Text.TOO_LARGE)) {
                val photo = object : Photo {
                    override val size = size
                    override fun read(top: Int, rows: Int, into: ByteArray) = error("read")
                }
                assertEquals(text, refusalOf { scorer.score(photo, fit = true) }.text)
            }
        }
    }

    @Test
    fun `five photos score as in PyTorch`() {
        val (export, artifact) = open("tiny")
        assertTrue(Pack.tinyReferences.size == 5 && Pack.tinyReferences.values.run { max() - min() } > 0.05)
        scorer(export, artifact).use { scorer ->
            for ((name, reference) in Pack.tinyReferences) {
                assertEquals(reference, scorer.score(Pack.tinyPhoto(name), fit = false).toDouble(), 1e-4, name)
            }
        }
    }

    @Test
    fun `a real photo of 3840x2160 scores as in PyTorch`() {
        val (export, artifact) = open("full")
        assertTrue(artifact.references.values.map { it.score }.run { max() - min() } > 0.1)
        val golden = requireNotNull(export.manifest.golden)
        scorer(export, artifact).use { scorer ->
            val score = scorer.score(Pack.tinyPhoto("bundled_3840x2160"), fit = false).toDouble()
            assertEquals(artifact.references.getValue("original").score, score, 1e-4)
            val found = SelfTest.run(scorer, golden, Pack.photo(export.verifiedGolden(golden)), 1e-4)
            assertTrue(found.passed, "$found")
        }
    }

    @Test
    fun `the golden pack scores as in PyTorch through the tensors input`() {
        val (export, artifact) = open("tensors")
        val spec = export.manifest.preprocess
        val rows = Pack.goldenJson.list("photos").map { it.jsonObject }
        val tolerance = Pack.goldenJson.part("tolerance").value("score").double
        assertTrue(rows.map { it.value("score").double }.run { max() - min() } > 0.02)
        runner(export, artifact).use { runner ->
            for (row in rows) {
                val photo = Pack.photo(File(Pack.golden, row.text("file")))
                val inputs = viewsOf(photo, spec, artifact.inputs.map { it.name }).mapValues { normalise(it.value, spec) }
                assertEquals(row.value("score").double, runner.run(inputs).toDouble(), tolerance, row.text("file"))
            }
        }
    }

    @Test
    fun `an accelerator that is not there is a sentence, not a fallback`() {
        val (export, artifact) = open("tiny")
        val sentence = refusalOf { OnnxRunner(export.verified(artifact) {}, artifact, RuntimeChoice.ONNX_XNNPACK, 1) }
        assertEquals(Text.NO_ACCELERATOR, sentence.text)
    }

    @Test
    fun `a file that is not a model is a sentence`() {
        val (_, artifact) = open("tiny")
        val file = File.createTempFile("none", ".onnx").apply { writeText("no model") }
        val sentence = refusalOf { OnnxRunner(file, artifact, RuntimeChoice.ONNX_CPU, 1) }
        assertEquals(Text.CANNOT_OPEN, sentence.text)
    }

    @Test
    fun `a manifest that promises other inputs than the file has is refused`() {
        val (export, artifact) = open("tiny")
        val other = artifact.copy(inputs = listOf(artifact.inputs.single().copy(shape = listOf(1, 100, 100, 3))))
        assertEquals(Text.OTHER_INPUT, refusalOf { OnnxRunner(export.verified(artifact) {}, other, RuntimeChoice.ONNX_CPU, 1) }.text)
    }

    @Test
    fun `a run can be stopped from another thread`() {
        val (export, artifact) = open("full")
        scorer(export, artifact).use { scorer ->
            val inputs = scorer.inputs(Pack.tinyPhoto("bundled_3840x2160"), fit = false)
            var refused: Refusal? = null
            val run = Thread { refused = runCatching { scorer.score(inputs) }.exceptionOrNull() as? Refusal }
            run.start()
            while (run.isAlive) {
                scorer.cancel()
                Thread.sleep(1)
            }
            assertEquals(Text.RUN_FAILED, refused?.sentence?.text)
            assertTrue(scorer.score(inputs).isFinite(), "and the next run is whole")
        }
    }
}
