package org.lariqa.core.benchmark

import java.io.File
import java.nio.Buffer
import java.nio.file.Files
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.audition.AuditionKey
import org.lariqa.core.audition.AuditionTable
import org.lariqa.core.audition.PictureScore
import org.lariqa.core.audition.UnitResult
import org.lariqa.core.manifest.Arithmetic
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.part
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.value
import org.lariqa.core.pixels.copyTo
import org.lariqa.core.runtimes.DISABLE_KLEIDIAI
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice

/** The phone's part of the benchmark, with the real model and probe whose answers are known. */
class BenchmarkTest {
    private val own = Files.createTempDirectory("own").toFile()
    private val out = File(own, "rows.jsonl")

    private class FakeDevice : DeviceProbe {
        var heat = "none"
        override val machine = MeasurementRow.Machine("Test phone", "Android 0", 2, 4096.0)
        override fun memoryMib() = 100.0
        override fun cpuMs() = System.nanoTime() / 1e6
        override fun temperatureC() = 30.0
        override fun thermalStatus() = heat
        override fun batteryPercent() = 80.0
        override fun onCharger() = false
        override fun nowIso() = "2026-01-01T00:00:00Z"
    }

    private fun viewModel(
        probe: DeviceProbe = FakeDevice(), bundled: () -> ExportFolder = { Pack.tiny },
        openRunner: (File, Artifact, RuntimeChoice) -> Runner = Pack::openOnnx,
    ) = BenchmarkViewModel(BenchmarkEnvironment({}, openRunner, Pack::photo, probe, threads = 1, decoder = "ImageIO"), bundled, own)

    /** The real runner, with 2e-4 added to each score. */
    private fun offByALittle(file: File, artifact: Artifact, choice: RuntimeChoice): Runner {
        val real = Pack.openOnnx(file, artifact, choice)
        return object : Runner by real {
            override fun run(inputs: Map<String, Buffer>) = real.run(inputs) + 2e-4f
        }
    }

    private fun pushed(): File = Pack.copyOfTiny().also { folder ->
        listOf("original", "noisy").forEach { File(Pack.exports, "photos/$it.png").copyTo(File(folder, "$it.png")) }
    }

    private fun rows() = out.readLines().map { Json.parseToJsonElement(it).jsonObject }

    private fun BenchmarkViewModel.run(text: Map<String, String?>, whole: Map<String, Int?>) = start(text, whole)?.join()

    @Test
    fun `a pushed export gives a row with every run, its scores and the reference of the golden photo`() {
        val folder = pushed()
        viewModel().run(mapOf("dir" to folder.path, "out" to out.path, "accelerator" to "cpu"), mapOf("runs" to 20))
        assertEquals("ok", File("$out.done").readText().trim())
        val row = rows().single()
        assertEquals("lariqa-measurement/2", row.text("schema"))
        val latency = row.part("latency")
        for (list in listOf("decode_ms", "preprocess_ms", "inference_ms", "post_ms", "cpu_ms", "started_s")) {
            assertEquals(20, latency.list(list).size, list)
        }
        val started = latency.list("started_s").map { it.jsonPrimitive.double }
        assertTrue(started == started.sorted() && latency.value("load_ms").double > 0 && latency.value("first_ms").double > 0)
        val scores = row.list("scores").map { it.jsonObject }.associateBy { it.text("photo") }
        assertEquals(setOf("original.png", "noisy.png", "golden.png"), scores.keys)
        assertEquals(Pack.tinyReferences.getValue("noisy"), scores.getValue("noisy.png").value("score").double, 1e-4)
        scores.getValue("golden.png").run { assertEquals(value("reference").double, value("score").double, 1e-4) }
        assertEquals(100.0, row.part("memory").value("peak_mib").double)
        assertEquals(emptyList(), row.list("flags").toList())
        assertEquals(JsonNull, row["error"])
        forPython("rows.jsonl")
    }

    /** Python's tests read it, so that both sides agree on what a row is. */
    private fun forPython(name: String) {
        System.getProperty("basedir")?.let { out.copyTo(File(it, "target/$name"), overwrite = true) }
    }

    @Test
    fun `the bundled export stands in, and what makes its figures weak is said`() {
        val probe = FakeDevice().apply { heat = "severe" }
        viewModel(probe).run(mapOf("dir" to "bundled", "out" to out.path), mapOf("runs" to 3, "sustained_s" to 1))
        val (burst, sustained) = rows()
        assertEquals(listOf("burst", "sustained"), listOf(burst, sustained).map { it.text("mode") })
        val flags = burst.list("flags").joinToString()
        assertTrue("too few runs: 3" in flags && "stands in" in flags && "severe" in flags, flags)
        assertTrue(sustained.part("latency").list("inference_ms").isNotEmpty())
    }

    @Test
    fun `a golden score outside of the manifest's tolerance is a flag`() {
        fun run(export: ExportFolder) = viewModel(bundled = { export }, openRunner = ::offByALittle)
            .run(mapOf("out" to out.path), mapOf("runs" to 1))
        run(Pack.tiny)
        run(Pack.tinyWith(float32 = 1e-3))
        val (narrow, wide) = rows().map { row -> row.list("flags").count { "golden photo's score is" in "$it" } }
        assertEquals(listOf(1, 0), listOf(narrow, wide))
    }

    @Test
    fun `a file for any size is measured on photos of all sizes, each at its own`() {
        val folder = Pack.copyOf("views")
        Pack.mixed.keys.forEach { it.copyTo(File(folder, it.name)) }
        val model = Pack.views.manifest.artifact("onnx").file
        viewModel().run(mapOf("dir" to folder.path, "model" to model, "out" to out.path), mapOf("runs" to Pack.mixed.size))
        val row = rows().single()
        assertEquals(JsonNull, row["error"])
        val subject = row.part("subject")
        assertEquals(listOf(JsonNull, JsonNull), listOf("photo_width_px", "photo_height_px").map { subject[it] }) // any size
        val scores = row.list("scores").map { it.jsonObject }.associate { it.text("photo") to it.value("score").double }
        for ((file, reference) in Pack.mixed) assertEquals(reference, scores.getValue(file.name), 1e-5, file.name)
        assertEquals(2 * 128 * 128 * 3 / MIB, row.part("memory").value("input_mib").double)
        assertTrue(row.part("latency").list("preprocess_ms").all { it.jsonPrimitive.double > 0 })
        forPython("rows_any_size.jsonl")
    }

    @Test
    fun `without photos a file for any size is measured on the golden one, as large as its row says`() {
        viewModel(bundled = { Pack.views }).run(mapOf("out" to out.path), mapOf("runs" to 1))
        val row = rows().single()
        assertTrue("tiled to 2016x1512 stands in" in row.list("flags").joinToString())
        row.list("scores").single().jsonObject.run { assertEquals(value("reference").double, value("score").double, 1e-5) }
    }

    @Test
    fun `rows are added, never replaced`() {
        repeat(2) { viewModel().run(mapOf("out" to out.path), mapOf("runs" to 1)) }
        assertEquals(2, rows().map { it.text("id") }.distinct().size)
    }

    @Test
    fun `a model that cannot be opened is a row with its reason`() {
        val folder = pushed()
        File(folder, Pack.tiny.manifest.artifact("onnx").file).appendText("x")
        viewModel().run(mapOf("dir" to folder.path, "out" to out.path), mapOf("runs" to 1))
        assertTrue("sha256 differs" in rows().single().text("error"))
        assertTrue("sha256 differs" in File("$out.done").readText())
    }

    @Test
    fun `a photo of another size is a row with its reason`() {
        val folder = Pack.copyOfTiny()
        File(Pack.golden, "small_481x271.png").copyTo(File(folder, "small.png"))
        viewModel().run(mapOf("dir" to folder.path, "out" to out.path), mapOf("runs" to 1))
        assertTrue("481x271" in rows().single().text("error"))
    }

    @Test
    fun `a request that makes no sense ends with its reason`() {
        for ((text, whole, reason) in listOf(
            Triple(mapOf("out" to out.path, "accelerator" to "npu"), mapOf("runs" to 1), "accelerator cpu or xnnpack"),
            Triple(mapOf("out" to out.path), mapOf("runs" to 0), "1 to 10000 runs"),
            Triple(mapOf("out" to out.path, "model" to "other.onnx"), mapOf("runs" to 1), "a model that lariqa.json lists"),
            Triple(mapOf("out" to out.path, "dir" to "/no/such/folder"), mapOf("runs" to 1), "no model"),
        )) {
            File("$out.done").delete()
            viewModel().run(text, whole)
            assertTrue(reason in File("$out.done").readText(), File("$out.done").readText())
        }
    }

    @Test
    fun `no request makes the app write outside of its folder`() {
        val elsewhere = File(Files.createTempDirectory("elsewhere").toFile(), "rows.jsonl")
        val viewModel = viewModel()
        viewModel.run(mapOf("out" to "$own/../${elsewhere.parentFile.name}/rows.jsonl"), mapOf("runs" to 1))
        assertEquals(emptyList(), elsewhere.parentFile.list()!!.toList())
        assertEquals(Text.BAD_REQUEST, assertNotNull(viewModel.state.sentence).text)
    }

    @Test
    fun `session options reach the runtime, are part of the row, and are refused where they make no sense`() {
        fun run(vararg more: Pair<String, String>): String {
            File("$out.done").delete()
            viewModel().run(mapOf("out" to out.path) + more, mapOf("runs" to 1))
            return File("$out.done").readText().trim()
        }
        assertEquals("ok", run("session_options" to "$DISABLE_KLEIDIAI=1,session.disable_prepacking=1"))
        val setting = rows().single().part("setting")
        assertEquals("1", setting.part("session_options").text(DISABLE_KLEIDIAI))
        assertTrue("$DISABLE_KLEIDIAI=1" in rows().single().part("subject").text("name"))
        // A value that ONNX Runtime itself refuses shows that it is told.
        assertTrue("cannot open" in run("session_options" to "session.load_model_format=ORT"))
        assertTrue("KEY=VALUE" in run("session_options" to DISABLE_KLEIDIAI))
        assertTrue("session.intra_op" in run("session_options" to "session.optimized_model_filepath=/x"))
        val tflite = Pack.tiny.manifest.artifact("tflite").file
        assertTrue("ONNX Runtime, which alone has them" in run("session_options" to "$DISABLE_KLEIDIAI=1", "model" to tflite))
    }

    @Test
    fun `a row says what the decoder makes of the golden JPEG, which is no photo to measure`() {
        val folder = Pack.copyOf("views")
        Pack.mixed.keys.first().let { it.copyTo(File(folder, it.name)) }
        viewModel().run(mapOf("dir" to folder.path, "out" to out.path), mapOf("runs" to 2))
        val row = rows().single()
        val decoder = row.part("decoder")
        assertEquals(listOf("ImageIO", "golden.jpg"), listOf("library", "file").map { decoder.text(it) })
        assertEquals(listOf(0.0, 0.0), listOf("worst_levels", "differing_share").map { decoder.value(it).double })
        assertEquals(decoder.value("reference").double, decoder.value("score").double, 1e-5)
        assertEquals(decoder.value("score_of_expected").double, decoder.value("score").double)
        assertTrue("decoder_heic" !in row && "HEIC" !in row.list("flags").toString(), "Java does not read it")
        assertEquals(setOf(Pack.mixed.keys.first().name, "golden.png"), row.list("scores").map { it.jsonObject.text("photo") }.toSet())
    }

    @Test
    fun `an audition is rows, a refused unit with its reason, and KleidiAI's memory with its ceiling`() {
        fun unit(choice: RuntimeChoice, peakMib: Double, refusal: Sentence? = null) = UnitResult(
            choice, Pack.views.manifest.artifact(choice.format).file, Arithmetic.FLOAT32, 1e-4, "ONNX Runtime 1.29.0", refusal,
            listOf(PictureScore("golden.png", 0.5, 0.5), PictureScore("dark", Double.NaN, 0.2)), loadMs = 90.0, firstMs = 500.0,
            timedMs = listOf(30.0, 31.0, 32.0), baselineMib = 100.0, peakMib = peakMib,
        )
        fun rows(kleidiMib: Double) = auditionRows(
            AuditionTable(
                AuditionKey("a", "b", "c"),
                listOf(
                    unit(RuntimeChoice.ONNX_CPU, kleidiMib), unit(RuntimeChoice.ONNX_CPU_NO_KLEIDIAI, 200.0),
                    unit(RuntimeChoice.LITERT_GPU, 150.0, Text.UNIT_NOT_FINITE.of("dark", "NaN")),
                ),
            ),
            Pack.views.manifest, FakeDevice().machine, "2026-01-01T00:00:00Z", threads = 2,
        )
        val made = rows(kleidiMib = 400.0)
        val flag = "with KleidiAI ONNX Runtime 1.29.0 takes 300 MiB here, without it 100 MiB"
        assertTrue(made[0].flags.any { flag in it }, "${made[0].flags}")
        assertTrue(rows(kleidiMib = 240.0).none { row -> row.flags.any { "KleidiAI" in it } })
        assertEquals(listOf(null, null, "its score of dark is NaN, not a finite number"), made.map { it.error })
        MeasurementRow.append(out, made)
        val row = rows().first()
        assertEquals(3, row.part("latency").list("inference_ms").size)
        assertEquals(500.0, row.part("latency").value("first_ms").double)
        assertEquals("golden.png", row.list("scores").single().jsonObject.text("photo"))
        forPython("rows_audition.jsonl")
    }

    @Test
    fun `percentiles are numpy's`() {
        val found = Statistics.of(listOf(4.0, 1.0, 3.0, 2.0))
        assertEquals(listOf(1.0, 2.5, 3.7, 4.0), listOf(found.min, found.p50, found.p90, found.max))
    }
}
