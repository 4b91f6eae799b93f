package org.lariqa.core.scoring

import java.io.File
import java.nio.Buffer
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
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.part
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.value
import org.lariqa.core.pixels.authenticView
import org.lariqa.core.pixels.normalise
import org.lariqa.core.pixels.pixelsOf
import org.lariqa.core.pixels.syntheticView
import org.lariqa.core.refusalOf

/** The real ONNX Runtime, from Maven Central, against the scores that PyTorch gave. */
class OnnxScoresTest {
    private fun open(folder: String, input: String = "pixels"): Pair<ExportFolder, Artifact> =
        ExportFolder.open(File(Pack.exports, folder)).let { it to it.manifest.artifact("onnx", input) }

    private fun runner(export: ExportFolder, artifact: Artifact) =
        OnnxRunner(export.verified(artifact) {}, artifact, RuntimeChoice.ONNX_CPU, threads = 2)

    @Test
    fun `five photos score as in PyTorch`() {
        val (export, artifact) = open("tiny")
        assertTrue(Pack.tinyReferences.size == 5 && Pack.tinyReferences.values.run { max() - min() } > 0.05)
        Scorer(artifact, runner(export, artifact)).use { scorer ->
            for ((name, reference) in Pack.tinyReferences) {
                assertEquals(reference, scorer.score(Pack.tinyPhoto(name), fit = false).toDouble(), 1e-4, name)
            }
        }
    }

    @Test
    fun `a real photo of 3840x2160 scores as in PyTorch`() {
        val (export, artifact) = open("full")
        assertTrue(artifact.references.values.run { max() - min() } > 0.1)
        val golden = requireNotNull(export.manifest.golden)
        Scorer(artifact, runner(export, artifact)).use { scorer ->
            val score = scorer.score(Pack.tinyPhoto("bundled_3840x2160"), fit = false).toDouble()
            assertEquals(artifact.references.getValue("original"), score, 1e-4)
            val found = SelfTest.run(scorer, golden, Pack.photo(export.verifiedGolden(golden)), 1e-4)
            assertTrue(found.passed, "$found")
        }
    }

    @Test
    fun `the golden pack scores as in PyTorch through the tensors input`() {
        val (export, artifact) = open("tensors", "tensors")
        val spec = export.manifest.preprocess
        val rows = Pack.goldenJson.list("photos").map { it.jsonObject }
        val tolerance = Pack.goldenJson.part("tolerance").value("score").double
        assertTrue(rows.map { it.value("score").double }.run { max() - min() } > 0.02)
        runner(export, artifact).use { runner ->
            for (row in rows) {
                val photo = Pack.photo(File(Pack.golden, row.text("file")))
                val inputs = mapOf<String, Buffer>(
                    "authentic" to normalise(authenticView(photo, spec), spec),
                    "synthetic" to normalise(syntheticView(photo, spec, artifact.syntheticView).second, spec),
                )
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
        Scorer(artifact, runner(export, artifact)).use { scorer ->
            val pixels = pixelsOf(Pack.tinyPhoto("bundled_3840x2160"), scorer.takes, fit = false)
            var refused: Refusal? = null
            val run = Thread { refused = runCatching { scorer.score(pixels) }.exceptionOrNull() as? Refusal }
            run.start()
            while (run.isAlive) {
                scorer.cancel()
                Thread.sleep(1)
            }
            assertEquals(Text.RUN_FAILED, refused?.sentence?.text)
            assertTrue(scorer.score(pixels).isFinite(), "and the next run is whole")
        }
    }
}
