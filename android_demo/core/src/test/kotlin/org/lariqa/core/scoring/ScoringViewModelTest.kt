package org.lariqa.core.scoring

import java.io.File
import java.nio.Buffer
import java.nio.file.Files
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Text
import org.lariqa.core.bytes
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.PixelPhoto
import org.lariqa.core.pixels.copyTo
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice

/** The view model with the real ONNX Runtime, and with a runner whose answers are known. */
class ScoringViewModelTest {
    private val journal = Journal(File(Files.createTempDirectory("scoring").toFile(), "photos.json"))
    private val atOnce = Executor { it.run() }
    private val names = Pack.tinyReferences.keys.toList()

    private fun photos(names: List<String> = this.names) = names.map { PhotoResult(it, "$it.png") }

    private fun viewModel(
        loader: ModelLoader = Pack.loader(), worker: Executor = atOnce, open: (PhotoResult) -> Photo = { Pack.tinyPhoto(it.id) },
    ) = ScoringViewModel(loader, open, journal, worker)

    /** The real export with another runner in it, and without the golden lossy files, which would take runs of their own. */
    private fun faked(
        run: (Map<String, Buffer>) -> Float, cancel: () -> Unit = {}, export: ExportFolder = Pack.tiny,
    ) = ExportLoader(
        { ExportFolder(export.folder, export.manifest.run { copy(golden = golden?.copy(lossy = emptyMap())) }) },
        { _, _, _ ->
            object : Runner {
                override val runtime = "fake"
                override fun run(inputs: Map<String, Buffer>) = run(inputs)
                override fun cancel() = cancel()
                override fun close() = Unit
            }
        },
        Pack::photo,
        Pack.phone(),
    )

    private val goldenScore = Pack.tiny.manifest.artifact("onnx").references.getValue("golden.png").score.toFloat()

    /** Right for the golden photo, so that the self-test passes; then one answer after another. */
    private fun answers(vararg scores: Float): (Map<String, Buffer>) -> Float {
        val left = (listOf(goldenScore) + scores.toList()).iterator()
        return { left.next() }
    }

    @Test
    fun `from nothing to ready, each state a sentence, then scores as PyTorch's and the best on top`() {
        val viewModel = viewModel()
        val said = mutableListOf<ScoringState>()
        viewModel.observe { if (said.lastOrNull() != it.state) said += it.state }
        viewModel.load()
        viewModel.add(photos())
        val kinds = said.map { it.javaClass.simpleName }.distinct()
        assertEquals(listOf("NotLoaded", "Preparing", "WarmingUp", "Ready", "Scoring"), kinds)
        assertTrue(said.all { it.sentence.toString().length > 10 })
        val ready = assertIs<ScoringState.Ready>(viewModel.uiState.state)
        assertTrue(ready.selfTest.passed && ready.selfTest.tolerance == 1e-4)
        for (result in viewModel.uiState.results) {
            assertEquals(Pack.tinyReferences.getValue(result.id), assertNotNull(result.score).toDouble(), 1e-4)
        }
        assertEquals(Pack.tinyReferences.maxBy { it.value }.key, viewModel.uiState.burst.kept?.id)
    }

    @Test
    fun `a phone that computes the golden photo wrongly shows no score`() {
        val viewModel = viewModel(faked({ goldenScore + 2e-4f }))
        viewModel.add(photos())
        viewModel.load()
        val failed = assertIs<ScoringState.Failed>(viewModel.uiState.state)
        assertEquals(Text.GOLDEN_DIFFERS, failed.sentence.text)
        assertTrue(viewModel.uiState.results.all { it.score == null && it.waits })
    }

    @Test
    fun `an accelerator has its own tolerance, and says so`() {
        val viewModel = viewModel(faked({ goldenScore + 2e-3f }))
        viewModel.load(RuntimeChoice.LITERT_GPU)
        val ready = assertIs<ScoringState.Ready>(viewModel.uiState.state)
        assertEquals(0.005, ready.selfTest.tolerance)
        assertTrue("5.0e-03" in "${ready.sentence}")
    }

    @Test
    fun `other tolerances in the manifest change the verdict`() {
        fun state(error: Float, choice: RuntimeChoice, export: ExportFolder): ScoringState =
            viewModel(faked({ goldenScore + error }, export = export)).apply { load(choice) }.uiState.state
        assertIs<ScoringState.Failed>(state(2e-3f, RuntimeChoice.ONNX_CPU, Pack.tiny))
        val wide = assertIs<ScoringState.Ready>(state(2e-3f, RuntimeChoice.ONNX_CPU, Pack.tinyWith(float32 = 3e-3)))
        assertEquals(3e-3, wide.selfTest.tolerance)
        assertIs<ScoringState.Ready>(state(2e-3f, RuntimeChoice.LITERT_GPU, Pack.tiny))
        assertIs<ScoringState.Failed>(state(2e-3f, RuntimeChoice.LITERT_GPU, Pack.tinyWith(float16 = 1e-3)))
    }

    @Test
    fun `a score that is not a number is refused`() {
        val viewModel = viewModel(faked({ Float.NaN }))
        viewModel.load()
        assertEquals(Text.NOT_A_NUMBER, assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence.text)
    }

    @Test
    fun `no model, a tampered file and another manifest are states, and a good export mends them`() {
        val folder = Pack.copyOfTiny()
        val viewModel = viewModel(Pack.loader(folder))
        val file = File(folder, Pack.tiny.manifest.artifact("onnx").file)
        file.appendText("x")
        viewModel.load()
        assertEquals(Text.FILE_DIFFERS, assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence.text)
        File(folder, "lariqa.json").writeText("{}")
        viewModel.load()
        assertEquals(Text.OTHER_SCHEMA, assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence.text)
        File(folder, "lariqa.json").delete()
        viewModel.load()
        assertEquals(Text.NO_MODEL, assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence.text)
        File(Pack.exports, "tiny").listFiles()!!.forEach { it.copyTo(File(folder, it.name), overwrite = true) }
        viewModel.load()
        assertIs<ScoringState.Ready>(viewModel.uiState.state)
    }

    @Test
    fun `a changed golden photo is refused before it can prove anything`() {
        val folder = Pack.copyOfTiny()
        File(Pack.exports, "photos/original.png").copyTo(File(folder, "golden.png"), overwrite = true)
        val viewModel = viewModel(Pack.loader(folder))
        viewModel.load()
        assertEquals(Text.FILE_DIFFERS, assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence.text)
    }

    @Test
    fun `a photo that does not fit is refused, and resampled on request`() {
        val viewModel = viewModel(open = { Pack.tinyPhoto(if (it.id == "big") "bundled_3840x2160" else it.id) })
        viewModel.load()
        viewModel.add(photos(listOf("big", "original")))
        val (big, original) = viewModel.uiState.results
        assertEquals(Text.DOES_NOT_FIT, big.problem?.text)
        assertNotNull(original.score)
        viewModel.fit(true)
        assertTrue(viewModel.uiState.results[0].run { score != null && wasResampled } && !viewModel.uiState.results[1].wasResampled)
        viewModel.fit(false)
        assertEquals(Text.DOES_NOT_FIT, viewModel.uiState.results[0].problem?.text)
        assertEquals(original.score, viewModel.uiState.results[1].score)
    }

    @Test
    fun `a model for any size scores every photo as PyTorch, and never asks to fit one`() {
        val files = Pack.mixed.keys.associateBy { it.name }
        val viewModel = viewModel(Pack.loader(File(Pack.exports, "views")), open = { Pack.photo(files.getValue(it.id)) })
        viewModel.load()
        assertNull(viewModel.uiState.takes)
        viewModel.add(files.keys.map { PhotoResult(it, it) })
        viewModel.fit(true)
        for (result in viewModel.uiState.results) {
            val file = files.getValue(result.id)
            assertEquals(Pack.mixed.getValue(file), assertNotNull(result.score, "${result.problem}").toDouble(), 1e-5, result.id)
            assertEquals(Pack.photo(file).size, result.size)
            assertTrue(!result.wasResampled)
        }
        assertEquals(viewModel.uiState.results, journal.read().results)
    }

    @Test
    fun `where the decoder is off, a lossy photo's score says so, also after a restart`() {
        val off = { file: File ->
            val photo = Pack.photoAsPython(file)
            if (file.name == "golden.jpg") PixelPhoto(photo.size, photo.bytes().map { (it + 9).toByte() }.toByteArray()) else photo
        }
        val viewModel = viewModel(
            ExportLoader({ Pack.views }, Pack::openOnnx, off, Pack.phone()),
            open = { result ->
                val photo = Pack.tinyPhoto("original")
                object : Photo by photo {
                    override val lossy = Lossy.JPEG.takeIf { result.id == "jpeg" }
                }
            },
        )
        viewModel.load()
        viewModel.add(photos(listOf("jpeg", "png")))
        assertEquals(listOf(Text.DECODER_OFF, null), viewModel.uiState.results.map { it.caveat?.text })
        assertEquals(listOf(Text.DECODER_OFF, Text.DECODER_SAME), viewModel.uiState.decoders.map { it.text })
        assertEquals(viewModel.uiState.results, journal.read().results)
    }

    @Test
    fun `what one size refused or resampled is scored again by a model for any size`() {
        val checkpoint = Pack.views.manifest.checkpointSha256
        val refused = PhotoResult("dark", "dark.png", problem = Text.DOES_NOT_FIT.of("200x150", "3840x2160"))
        val resampled = PhotoResult("noisy", "noisy.png", score = 0.99f, wasResampled = true)
        journal.write(Journal.Contents(checkpoint, listOf(refused, resampled, PhotoResult("blurred", "blurred.png", score = 0.3f))))
        val viewModel = viewModel(Pack.loader(File(Pack.exports, "views")))
        viewModel.load()
        val scores = viewModel.uiState.results.associate { it.id to assertNotNull(it.score).toDouble() }
        for (name in listOf("dark", "noisy")) assertEquals(Pack.tinyReferences.getValue(name), scores.getValue(name), 1e-4, name)
        assertEquals(0.3f.toDouble(), scores["blurred"])
    }

    @Test
    fun `a model that does not fit the memory is a sentence of its own`() {
        val viewModel = viewModel(faked({ throw OutOfMemoryError() }))
        viewModel.load()
        assertEquals(Text.MODEL_OUT_OF_MEMORY, assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence.text)
    }

    @Test
    fun `a photo that cannot be decoded or does not fit the memory has a sentence, the rest is scored`() {
        val viewModel = viewModel(faked(answers(0.4f, 0.6f)), open = {
            when (it.id) {
                "broken" -> refuse(Text.DAMAGED_PHOTO, "cut off")
                "huge" -> throw OutOfMemoryError()
                else -> Pack.tinyPhoto("original")
            }
        })
        viewModel.load()
        viewModel.add(photos(listOf("a", "broken", "huge", "b")))
        val results = viewModel.uiState.results
        assertEquals(listOf(0.4f, null, null, 0.6f), results.map { it.score })
        assertEquals(listOf(Text.DAMAGED_PHOTO, Text.OUT_OF_MEMORY), results.mapNotNull { it.problem?.text })
        assertEquals("b", viewModel.uiState.burst.kept?.id)
        assertEquals(listOf("b", "a"), viewModel.uiState.burst.order.take(2).map { it.id })
    }

    @Test
    fun `scoring can be stopped, keeps what is there, and goes on`() {
        val worker = Executors.newSingleThreadExecutor()
        val reached = CountDownLatch(1)
        val stopped = CountDownLatch(1)
        var runs = 0
        val loader = faked({
            runs++
            if (runs == 3) { // golden, first photo, second photo
                reached.countDown()
                assertTrue(stopped.await(10, TimeUnit.SECONDS))
                refuse(Text.RUN_FAILED, "fake", "terminated")
            }
            if (runs == 1) goldenScore else 0.5f
        }, cancel = { stopped.countDown() })
        val viewModel = viewModel(loader, worker)
        viewModel.load()
        viewModel.add(photos())
        assertTrue(reached.await(10, TimeUnit.SECONDS))
        viewModel.cancel()
        worker.submit {}.get()
        val results = viewModel.uiState.results
        assertEquals(listOf(0.5f, null, null, null, null), results.map { it.score })
        assertTrue(results.drop(1).all { it.problem?.text == Text.CANCELLED && it.waits })
        assertIs<ScoringState.Ready>(viewModel.uiState.state)
        viewModel.resume()
        worker.submit {}.get()
        assertTrue(viewModel.uiState.results.all { it.score == 0.5f })
        worker.shutdown()
    }

    @Test
    fun `loading can be stopped and begun again`() {
        val worker = Executors.newSingleThreadExecutor()
        lateinit var viewModel: ScoringViewModel
        var loads = 0
        val real = Pack.loader()
        viewModel = viewModel({ choice, onProgress -> if (loads++ == 0) viewModel.cancel(); real.load(choice, onProgress) }, worker)
        viewModel.load()
        worker.submit {}.get()
        assertEquals(ScoringState.NotLoaded, viewModel.uiState.state)
        viewModel.load()
        worker.submit {}.get()
        assertIs<ScoringState.Ready>(viewModel.uiState.state)
        worker.shutdown()
    }

    @Test
    fun `an app that is killed while scoring loses nothing`() {
        val first = viewModel(faked(answers(0.3f)), open = { if (it.id == names[1]) throw ThreadDeath() else Pack.tinyPhoto(it.id) })
        first.load()
        runCatching { first.add(photos()) } // dies at the second photo
        val second = viewModel(faked(answers(0.4f, 0.5f, 0.6f, 0.7f)))
        assertEquals(0.3f, second.uiState.results[0].score)
        assertTrue(second.uiState.results.drop(1).all { it.problem?.text == Text.INTERRUPTED })
        second.load()
        assertEquals(listOf(0.3f, 0.4f, 0.5f, 0.6f, 0.7f), second.uiState.results.map { it.score })
    }

    @Test
    fun `scores of other weights are not shown as this model's`() {
        journal.write(Journal.Contents("other weights", listOf(PhotoResult("original", "a", score = 0.99f))))
        val viewModel = viewModel(faked(answers(0.4f)))
        viewModel.load()
        assertEquals(0.4f, viewModel.uiState.results.single().score)
    }

    @Test
    fun `a damaged journal is put aside, not lost and not fatal`() {
        val file = File(Files.createTempDirectory("journal").toFile(), "photos.json").apply { writeText("{\"photos\": 7") }
        assertEquals(emptyList(), Journal(file).read().results)
        assertTrue(File("$file.unreadable").readText().startsWith("{"))
    }

    @Test
    fun `a full disk is said, and scoring goes on`() {
        val folder = Files.createTempDirectory("full").toFile()
        File(folder, "photos.json").mkdirs() // a folder in its place: renaming fails
        File(folder, "photos.json/x").writeText("x")
        val viewModel = ScoringViewModel(faked(answers(0.4f)), { Pack.tinyPhoto("original") }, Journal(File(folder, "photos.json")), atOnce)
        viewModel.load()
        viewModel.add(photos(listOf("a")))
        assertEquals(Text.NOT_KEPT, viewModel.uiState.warning?.text)
        assertEquals(0.4f, viewModel.uiState.results.single().score)
    }

    @Test
    fun `the same photo is not added twice, and one alone is not the best of anything`() {
        val viewModel = viewModel(faked(answers(0.4f)))
        viewModel.load()
        viewModel.add(photos(listOf("original")))
        viewModel.add(photos(listOf("original")))
        assertEquals(1, viewModel.uiState.results.size)
        assertNull(viewModel.uiState.burst.kept)
        viewModel.clear()
        assertEquals(emptyList(), viewModel.uiState.results)
    }
}
