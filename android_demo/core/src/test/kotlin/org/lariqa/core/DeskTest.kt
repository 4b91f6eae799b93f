package org.lariqa.core

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

/** The view model with the real ONNX Runtime, and with a runner whose answers are known. */
class DeskTest {
    private val journal = Journal(File(Files.createTempDirectory("desk").toFile(), "photos.json"))
    private val atOnce = Executor { it.run() }
    private val names = Pack.tinyReferences.keys.toList()

    private fun photos(names: List<String> = this.names) = names.map { PhotoResult(it, "$it.png") }

    private fun desk(
        loader: ModelLoader = Pack.loader(), worker: Executor = atOnce, open: (PhotoResult) -> Photo = { Pack.tinyPhoto(it.id) },
    ) = Desk(loader, open, journal, worker)

    /** The real export with another runner in it. */
    private fun faked(
        run: (Map<String, Buffer>) -> Float, cancel: () -> Unit = {}, export: ExportFolder = Pack.tiny,
    ) = ExportLoader(
        { export },
        { _, _, _ ->
            object : Runner {
                override val runtime = "fake"
                override fun run(inputs: Map<String, Buffer>) = run(inputs)
                override fun cancel() = cancel()
                override fun close() = Unit
            }
        },
        Pack::photo,
    )

    private val goldenScore = Pack.tiny.manifest.artifact("onnx").references.getValue("golden.png").toFloat()

    /** Right for the golden photo, so that the self-test passes; then one answer after another. */
    private fun answers(vararg scores: Float): (Map<String, Buffer>) -> Float {
        val left = (listOf(goldenScore) + scores.toList()).iterator()
        return { left.next() }
    }

    @Test
    fun `from nothing to ready, each state a sentence, then scores as PyTorch's and the best on top`() {
        val desk = desk()
        val said = mutableListOf<DeskState>()
        desk.watch { if (said.lastOrNull() != it.state) said += it.state }
        desk.load()
        desk.add(photos())
        val kinds = said.map { it.javaClass.simpleName }.distinct()
        assertEquals(listOf("NotLoaded", "Preparing", "WarmingUp", "Ready", "Scoring"), kinds)
        assertTrue(said.all { it.sentence.toString().length > 10 })
        val ready = assertIs<DeskState.Ready>(desk.snapshot.state)
        assertTrue(ready.golden.passed && ready.golden.tolerance == 1e-4)
        for (result in desk.snapshot.results) {
            assertEquals(Pack.tinyReferences.getValue(result.id), assertNotNull(result.score).toDouble(), 1e-4)
        }
        assertEquals(Pack.tinyReferences.maxBy { it.value }.key, keeper(desk.snapshot.results)?.id)
    }

    @Test
    fun `a phone that computes the golden photo wrongly shows no score`() {
        val desk = desk(faked({ goldenScore + 2e-4f }))
        desk.add(photos())
        desk.load()
        val failed = assertIs<DeskState.Failed>(desk.snapshot.state)
        assertEquals(Text.GOLDEN_DIFFERS, failed.sentence.text)
        assertTrue(desk.snapshot.results.all { it.score == null && it.waits })
    }

    @Test
    fun `an accelerator has its own tolerance, and says so`() {
        val desk = desk(faked({ goldenScore + 2e-3f }))
        desk.load(RuntimeChoice.LITERT_GPU)
        val ready = assertIs<DeskState.Ready>(desk.snapshot.state)
        assertEquals(0.005, ready.golden.tolerance)
        assertTrue("5.0e-03" in "${ready.sentence}")
    }

    @Test
    fun `other tolerances in the manifest change the verdict`() {
        fun state(error: Float, choice: RuntimeChoice, export: ExportFolder): DeskState =
            desk(faked({ goldenScore + error }, export = export)).apply { load(choice) }.snapshot.state
        assertIs<DeskState.Failed>(state(2e-3f, RuntimeChoice.ONNX_CPU, Pack.tiny))
        val wide = assertIs<DeskState.Ready>(state(2e-3f, RuntimeChoice.ONNX_CPU, Pack.tinyWith(float32 = 3e-3)))
        assertEquals(3e-3, wide.golden.tolerance)
        assertIs<DeskState.Ready>(state(2e-3f, RuntimeChoice.LITERT_GPU, Pack.tiny))
        assertIs<DeskState.Failed>(state(2e-3f, RuntimeChoice.LITERT_GPU, Pack.tinyWith(float16 = 1e-3)))
    }

    @Test
    fun `no number is no score`() {
        val desk = desk(faked({ Float.NaN }))
        desk.load()
        assertEquals(Text.NOT_A_NUMBER, assertIs<DeskState.Failed>(desk.snapshot.state).sentence.text)
    }

    @Test
    fun `no model, a tampered file and another manifest are states, and a good export heals them`() {
        val folder = Pack.copyOfTiny()
        val desk = desk(Pack.loader(folder))
        val file = File(folder, Pack.tiny.manifest.artifact("onnx").file)
        file.appendText("x")
        desk.load()
        assertEquals(Text.FILE_DIFFERS, assertIs<DeskState.Failed>(desk.snapshot.state).sentence.text)
        File(folder, "lariqa.json").writeText("{}")
        desk.load()
        assertEquals(Text.OTHER_SCHEMA, assertIs<DeskState.Failed>(desk.snapshot.state).sentence.text)
        File(folder, "lariqa.json").delete()
        desk.load()
        assertEquals(Text.NO_MODEL, assertIs<DeskState.Failed>(desk.snapshot.state).sentence.text)
        File(Pack.exports, "tiny").listFiles()!!.forEach { it.copyTo(File(folder, it.name), overwrite = true) }
        desk.load()
        assertIs<DeskState.Ready>(desk.snapshot.state)
    }

    @Test
    fun `a changed golden photo is refused before it can prove anything`() {
        val folder = Pack.copyOfTiny()
        File(Pack.exports, "photos/original.png").copyTo(File(folder, "golden.png"), overwrite = true)
        val desk = desk(Pack.loader(folder))
        desk.load()
        assertEquals(Text.FILE_DIFFERS, assertIs<DeskState.Failed>(desk.snapshot.state).sentence.text)
    }

    @Test
    fun `a photo that does not fit is refused, and resampled on request`() {
        val desk = desk(open = { Pack.tinyPhoto(if (it.id == "big") "bundled_3840x2160" else it.id) })
        desk.load()
        desk.add(photos(listOf("big", "original")))
        val (big, original) = desk.snapshot.results
        assertEquals(Text.DOES_NOT_FIT, big.problem?.text)
        assertNotNull(original.score)
        desk.fit(true)
        assertTrue(desk.snapshot.results[0].run { score != null && fitted } && !desk.snapshot.results[1].fitted)
        desk.fit(false)
        assertEquals(Text.DOES_NOT_FIT, desk.snapshot.results[0].problem?.text)
        assertEquals(original.score, desk.snapshot.results[1].score)
    }

    @Test
    fun `a photo that cannot be decoded or does not fit the memory has a sentence, the rest is scored`() {
        val desk = desk(faked(answers(0.4f, 0.6f)), open = {
            when (it.id) {
                "broken" -> refuse(Text.DAMAGED_PHOTO, "cut off")
                "huge" -> throw OutOfMemoryError()
                else -> Pack.tinyPhoto("original")
            }
        })
        desk.load()
        desk.add(photos(listOf("a", "broken", "huge", "b")))
        val results = desk.snapshot.results
        assertEquals(listOf(0.4f, null, null, 0.6f), results.map { it.score })
        assertEquals(listOf(Text.DAMAGED_PHOTO, Text.OUT_OF_MEMORY), results.mapNotNull { it.problem?.text })
        assertEquals("b", keeper(results)?.id)
        assertEquals(listOf("b", "a"), ranked(results).take(2).map { it.id })
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
        val desk = desk(loader, worker)
        desk.load()
        desk.add(photos())
        assertTrue(reached.await(10, TimeUnit.SECONDS))
        desk.cancel()
        worker.submit {}.get()
        val results = desk.snapshot.results
        assertEquals(listOf(0.5f, null, null, null, null), results.map { it.score })
        assertTrue(results.drop(1).all { it.problem?.text == Text.CANCELLED && it.waits })
        assertIs<DeskState.Ready>(desk.snapshot.state)
        desk.resume()
        worker.submit {}.get()
        assertTrue(desk.snapshot.results.all { it.score == 0.5f })
        worker.shutdown()
    }

    @Test
    fun `loading can be stopped and begun again`() {
        val worker = Executors.newSingleThreadExecutor()
        lateinit var desk: Desk
        var loads = 0
        val real = Pack.loader()
        desk = desk({ choice, watch -> if (loads++ == 0) desk.cancel(); real.load(choice, watch) }, worker)
        desk.load()
        worker.submit {}.get()
        assertEquals(DeskState.NotLoaded, desk.snapshot.state)
        desk.load()
        worker.submit {}.get()
        assertIs<DeskState.Ready>(desk.snapshot.state)
        worker.shutdown()
    }

    @Test
    fun `an app that is killed while scoring loses nothing`() {
        val first = desk(faked(answers(0.3f)), open = { if (it.id == names[1]) throw ThreadDeath() else Pack.tinyPhoto(it.id) })
        first.load()
        runCatching { first.add(photos()) } // dies at the second photo
        val second = desk(faked(answers(0.4f, 0.5f, 0.6f, 0.7f)))
        assertEquals(0.3f, second.snapshot.results[0].score)
        assertTrue(second.snapshot.results.drop(1).all { it.problem?.text == Text.INTERRUPTED })
        second.load()
        assertEquals(listOf(0.3f, 0.4f, 0.5f, 0.6f, 0.7f), second.snapshot.results.map { it.score })
    }

    @Test
    fun `scores of other weights are not shown as this model's`() {
        journal.write(Journal.Entry("other weights", listOf(PhotoResult("original", "a", score = 0.99f))))
        val desk = desk(faked(answers(0.4f)))
        desk.load()
        assertEquals(0.4f, desk.snapshot.results.single().score)
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
        val desk = Desk(faked(answers(0.4f)), { Pack.tinyPhoto("original") }, Journal(File(folder, "photos.json")), atOnce)
        desk.load()
        desk.add(photos(listOf("a")))
        assertEquals(Text.NOT_KEPT, desk.snapshot.warning?.text)
        assertEquals(0.4f, desk.snapshot.results.single().score)
    }

    @Test
    fun `the same photo is not added twice, and one alone is not the best of anything`() {
        val desk = desk(faked(answers(0.4f)))
        desk.load()
        desk.add(photos(listOf("original")))
        desk.add(photos(listOf("original")))
        assertEquals(1, desk.snapshot.results.size)
        assertNull(keeper(desk.snapshot.results))
        desk.clear()
        assertEquals(emptyList(), desk.snapshot.results)
    }

    @Test
    fun `the golden photo mirrors its tile`() {
        val tile = PixelPhoto(Size(2, 3), ByteArray(18) { it.toByte() })
        val photo = GoldenPhoto(tile, Size(5, 7))
        val reds = List(7) { y -> ByteArray(15).also { photo.read(y, 1, it) }.filterIndexed { i, _ -> i % 3 == 0 }.map { it.toInt() } }
        assertEquals(listOf(0, 3, 3, 0, 0), reds[0])
        assertEquals(listOf(0, 6, 12, 12, 6, 0, 0), reds.map { it[0] })
    }
}
