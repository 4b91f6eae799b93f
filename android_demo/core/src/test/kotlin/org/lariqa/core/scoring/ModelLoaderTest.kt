package org.lariqa.core.scoring

import java.io.File
import java.nio.Buffer
import java.nio.file.Files
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Text
import org.lariqa.core.audition.AuditionStore
import org.lariqa.core.bytes
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.PixelPhoto
import org.lariqa.core.refusalOf
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice

/** From an export to a model that is ready: which unit it is opened on, and what is said of the phone's decoder. */
class ModelLoaderTest {
    private val place = File(Files.createTempDirectory("table").toFile(), "table.json")
    private val opened = mutableListOf<RuntimeChoice>()
    private var clockNs = 0L

    /** LiteRT's units are the real ONNX file, faster, with [wrong] added to its score; XNNPACK is not there. */
    private fun open(file: File, artifact: Artifact, choice: RuntimeChoice, wrong: Float): Runner {
        opened += choice
        if (choice == RuntimeChoice.ONNX_XNNPACK) refuse(Text.NO_ACCELERATOR, choice.runtime, choice.accelerator, "not built in")
        val onnx = Pack.views.manifest.artifact("onnx")
        val real = Pack.openOnnx(File(Pack.views.folder, onnx.file), onnx, RuntimeChoice.ONNX_CPU)
        return object : Runner by real {
            override fun run(inputs: Map<String, Buffer>): Float {
                clockNs += (if (choice.format == "onnx") 90 else 30) * 1_000_000L
                return real.run(inputs) + if (choice.format == "onnx") 0f else wrong
            }
        }
    }

    private fun loader(
        wrong: Float = 0f, system: String = "Android 0", export: ExportFolder = Pack.views,
        decode: (File) -> Photo = Pack::photoAsPython,
    ) = ExportLoader(
        { export }, { file, artifact, choice -> open(file, artifact, choice, wrong) }, decode,
        Pack.phone(AuditionStore(place), system) { clockNs },
    )

    private fun ModelLoader.load(choice: RuntimeChoice? = null) = load(choice) { _, _ -> }

    @Test
    fun `at first launch every unit is tried, the fastest admitted one is opened, and later launches try none`() {
        val steps = mutableListOf<String>()
        val table = loader().load(null) { step, _ -> if (step.text == Text.STEP_AUDITION) steps += "$step" }.use { model ->
            assertEquals("tflite", model.choice.format)
            assertTrue(model.selfTest.passed)
            assertNotNull(model.table)
        }
        assertEquals(RuntimeChoice.entries, table.units.map { it.choice })
        assertEquals(listOf(RuntimeChoice.ONNX_XNNPACK), table.units.filter { !it.isAdmitted }.map { it.choice })
        val tried = RuntimeChoice.entries.mapIndexed { number, choice -> "trying $choice (${number + 1} of 7)" }
        assertEquals(tried, steps.distinct())
        opened.clear()
        loader().load().use { assertEquals(table.fastest?.choice, it.choice) }
        assertEquals(1, opened.size)
        loader(system = "Android 1").load().close()
        assertEquals(1 + RuntimeChoice.entries.size + 1, opened.size)
    }

    @Test
    fun `units that compute wrong are refused, and asking for one by name does not help`() {
        loader(wrong = 0.3f).load().use { model ->
            assertTrue(model.choice == RuntimeChoice.ONNX_CPU || model.choice == RuntimeChoice.ONNX_CPU_NO_KLEIDIAI)
            val liteRt = assertNotNull(model.table).units.filter { it.choice.format == "tflite" }
            assertTrue(liteRt.size == 4 && liteRt.all { it.refusal?.text == Text.UNIT_OFFSET })
        }
        val sentence = refusalOf { loader(wrong = 0.3f).load(RuntimeChoice.LITERT_GPU) }
        assertEquals(Text.UNIT_REFUSED, sentence.text)
        assertTrue("off by the same" in "$sentence", "$sentence")
        loader().load(RuntimeChoice.ONNX_CPU).use { assertEquals(RuntimeChoice.ONNX_CPU, it.choice) }
    }

    @Test
    fun `a phone of which no unit is right shows no score, with each unit's reason`() {
        val broken = ExportLoader(
            { Pack.views }, { _, _, choice -> refuse(Text.NO_ACCELERATOR, choice.runtime, choice.accelerator, "none") },
            Pack::photoAsPython, Pack.phone(AuditionStore(place)),
        )
        val sentence = refusalOf { broken.load(null) { _, _ -> } }
        assertEquals(Text.NO_UNIT, sentence.text)
        assertTrue(RuntimeChoice.entries.all { "$it: " in "$sentence" })
        loader().load().use { assertNotNull(it.table?.fastest, "and it is tried again") }
    }

    @Test
    fun `a damaged file is refused as one, and no unit is blamed for it`() {
        val folder = Pack.copyOf("views")
        val export = ExportFolder.open(folder)
        File(folder, export.manifest.artifact("onnx").file).appendText("x")
        assertEquals(Text.FILE_DIFFERS, refusalOf { loader(export = export).load() }.text)
        assertEquals(emptyList(), opened)
    }

    @Test
    fun `the margin of an accelerator is at least twice what its audition saw`() {
        loader(wrong = 2e-3f).load().use { model ->
            assertEquals("tflite", model.choice.format)
            val seen = assertNotNull(model.table?.of(model.choice)?.worst)
            assertTrue(seen > 1.9e-3)
            assertEquals(if (model.choice.isPlainCpu) 2 * model.artifact.parityWorst!! else 2 * seen, model.margin)
        }
    }

    @Test
    fun `where the decoder is off, scores of lossy files say so and others do not`() {
        val off = { file: File ->
            val photo = Pack.photoAsPython(file)
            if (file.name != "golden.jpg") photo else {
                PixelPhoto(photo.size, photo.bytes().map { (it + 9).toByte() }.toByteArray())
            }
        }
        loader(decode = off).load().use { model ->
            val photo = Pack.tinyPhoto("original")
            val lossy = object : Photo by photo {
                override val lossy = Lossy.JPEG
            }
            assertEquals(Text.DECODER_OFF, model.score { lossy }.caveat?.text)
            assertNull(model.score { photo }.caveat)
            assertEquals(model.decoders.checks, model.table?.decoders)
        }
        loader().load().use { assertNotNull(it.decoders.caveat(Lossy.JPEG), "kept in the table") }
    }

    @Test
    fun `a golden JPEG that is missing is said beside lossy scores, and scoring goes on`() {
        val folder = Pack.copyOf("views")
        File(folder, "golden.jpg").delete()
        loader(export = ExportFolder.open(folder)).load().use { model ->
            assertEquals(Text.DECODER_UNKNOWN, model.decoders.caveat(Lossy.JPEG)?.text)
            assertNull(model.decoders.checks[Lossy.JPEG])
        }
    }
}
