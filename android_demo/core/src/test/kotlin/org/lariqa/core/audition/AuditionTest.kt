package org.lariqa.core.audition

import java.io.File
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.file.Files
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Text
import org.lariqa.core.manifest.Arithmetic
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer

/** The real ONNX Runtime behind units that are wrong in the ways that accelerators are, each refused for its reason. */
class AuditionTest {
    private val export = Pack.views
    private val artifact = export.manifest.artifact("onnx")
    private val float16 = export.manifest.tolerances.float16
    private val store = AuditionStore(File(Files.createTempDirectory("audition").toFile(), "table.json"))
    private val key = AuditionKey("app 1", "Android 0", "export")
    private var clockNs = 0L

    /** The real runner; [wrong] makes its answer, [ms] is what a run of it takes on the test's own clock. */
    private inner class Unit(
        override val choice: RuntimeChoice, val ms: (run: Int) -> Long = { 100 },
        val wrong: (inputs: Map<String, ByteBuffer>, real: (Map<String, Buffer>) -> Float) -> Float = { inputs, real -> real(inputs) },
    ) : AuditionUnit {
        override val artifact = this@AuditionTest.artifact
        var opened = 0
        override fun open(): Scorer {
            opened++
            val real = Pack.openOnnx(export.verified(artifact) {}, artifact, RuntimeChoice.ONNX_CPU)
            var runs = 0
            return Scorer(artifact, export.manifest.preprocess, object : Runner by real {
                override val runtime = "fake 1"
                @Suppress("UNCHECKED_CAST")
                override fun run(inputs: Map<String, Buffer>): Float {
                    clockNs += ms(runs++) * 1_000_000
                    return wrong(inputs as Map<String, ByteBuffer>, real::run)
                }
            })
        }
    }

    private fun audition(key: AuditionKey = this.key, memoryMib: (() -> Double)? = null) = Audition(
        key, export.manifest.tolerances, { AuditionPictures.of(it, export, Pack::photo) }, store, memoryMib, { clockNs },
    )

    private fun hold(vararg units: AuditionUnit) = audition().hold(units.toList()) { _, _ -> }

    private fun refusal(unit: AuditionUnit) = assertNotNull(hold(unit).units.single().refusal)

    @Test
    fun `a unit that computes right is admitted, with its scores, its times and its worst difference`() {
        val found = hold(Unit(RuntimeChoice.ONNX_CPU)).units.single()
        assertNull(found.refusal)
        assertEquals(7, found.scores.size)
        assertTrue(found.scores.maxOf { it.score } - found.scores.minOf { it.score } > 0.05)
        assertTrue(found.worst!! <= 1e-5 && found.tolerance == 1e-4)
        assertEquals(listOf(100.0, 100.0, 100.0), found.timedMs)
        assertEquals("fake 1", found.runtime)
    }

    @Test
    fun `a constant offset is refused, and called one`() {
        val said = refusal(Unit(RuntimeChoice.LITERT_GPU) { inputs, real -> real(inputs) + 0.02f })
        assertEquals(Text.UNIT_OFFSET, said.text)
        assertEquals("2.0e-02", said.facts[0])
    }

    @Test
    fun `an offset within the tolerance of what the unit computes in is admitted, on the CPU it is not`() {
        val little: (Map<String, ByteBuffer>, (Map<String, Buffer>) -> Float) -> Float = { inputs, real -> real(inputs) + 2e-3f }
        assertTrue(2e-3 < float16)
        val (cpu, gpu) = hold(Unit(RuntimeChoice.ONNX_CPU, wrong = little), Unit(RuntimeChoice.LITERT_GPU, wrong = little)).units
        assertEquals(Text.UNIT_OFFSET, cpu.refusal?.text)
        assertNull(gpu.refusal)
        assertEquals(Arithmetic.FLOAT16, gpu.arithmetic)
    }

    @Test
    fun `one channel off is refused, with the picture that shows it most`() {
        val said = refusal(Unit(RuntimeChoice.LITERT_GPU) { inputs, real ->
            real(inputs.mapValues { (_, view) ->
                val other = ByteBuffer.allocateDirect(view.capacity())
                for (i in 0 until view.capacity()) other.put(i, if (i % 3 == 0) 0 else view.get(i)) // no red
                other
            })
        })
        assertEquals(Text.UNIT_OFF, said.text)
        assertTrue(said.facts[1] in export.manifest.artifact("onnx").audition.map { it.picture } + "golden.png", "$said")
        assertTrue(said.facts[3].toInt() in 1..7 && said.facts[4] == "7", "$said")
    }

    @Test
    fun `silent zeros are refused as blind, and so is any other constant`() {
        for (constant in listOf(0f, 0.4f)) {
            assertEquals(Text.UNIT_BLIND, refusal(Unit(RuntimeChoice.LITERT_NPU) { _, _ -> constant }).text)
        }
    }

    @Test
    fun `an overflow of float16 is refused by the picture that it happens on`() {
        val bright = { inputs: Map<String, ByteBuffer> ->
            val view = inputs.getValue("authentic")
            (0 until view.capacity()).minOf { view.get(it).toInt() and 255 } >= 160 // the washed picture alone
        }
        for (overflow in listOf(Float.POSITIVE_INFINITY, Float.NaN)) {
            val said = refusal(Unit(RuntimeChoice.LITERT_GPU) { inputs, real -> if (bright(inputs)) overflow else real(inputs) })
            assertEquals(Text.UNIT_NOT_FINITE, said.text)
            assertEquals(listOf("washed", "${overflow.toDouble()}"), said.facts)
        }
    }

    @Test
    fun `a slow first run is reported apart and is no reason to refuse`() {
        val found = hold(Unit(RuntimeChoice.LITERT_GPU, ms = { run -> if (run == 0) 30_000 else 40 })).units.single()
        assertNull(found.refusal)
        assertEquals(30_000.0, found.firstMs)
        assertEquals(40.0, found.medianMs)
    }

    @Test
    fun `a unit that the phone lacks, that throws or that has no library is refused with what was said`() {
        fun broken(error: () -> Nothing) = object : AuditionUnit {
            override val choice = RuntimeChoice.LITERT_NPU
            override val artifact = this@AuditionTest.artifact
            override fun open() = error()
        }
        assertEquals(Text.NO_ACCELERATOR, refusal(broken { refuse(Text.NO_ACCELERATOR, "x", "NPU", "none") }).text)
        assertEquals(Text.RUN_FAILED, refusal(broken { throw IllegalStateException("driver") }).text)
        assertEquals(Text.NO_ACCELERATOR, refusal(broken { throw UnsatisfiedLinkError("libx.so") }).text)
        assertEquals(Text.MODEL_OUT_OF_MEMORY, refusal(broken { throw OutOfMemoryError() }).text)
    }

    @Test
    fun `the fastest admitted unit is used, a tie goes to float32, and no name counts`() {
        fun chosen(cpuMs: Long, gpuMs: Long, gpu: (Float) -> Float = { it }) = hold(
            Unit(RuntimeChoice.ONNX_CPU, { cpuMs }), Unit(RuntimeChoice.LITERT_GPU, { gpuMs }) { inputs, real -> gpu(real(inputs)) },
        ).fastest?.choice
        assertEquals(RuntimeChoice.LITERT_GPU, chosen(200, 20))
        assertEquals(RuntimeChoice.ONNX_CPU, chosen(20, 200))
        assertEquals(RuntimeChoice.ONNX_CPU, chosen(104, 100))
        assertEquals(RuntimeChoice.LITERT_GPU, chosen(106, 100))
        assertEquals(RuntimeChoice.ONNX_CPU, chosen(200, 20) { it * 1.2f })
        assertNull(hold(Unit(RuntimeChoice.LITERT_GPU) { _, _ -> 0f }).fastest)
    }

    @Test
    fun `the table is kept for this app, system and export, and for no other`() {
        val held = hold(Unit(RuntimeChoice.ONNX_CPU), Unit(RuntimeChoice.LITERT_GPU) { _, _ -> Float.NaN })
        assertEquals(held.toString(), audition().kept.toString()) // NaN is not equal to itself
        for (other in listOf(key.copy(app = "app 2"), key.copy(system = "Android 1"), key.copy(export = "other"))) {
            assertNull(audition(other).kept)
        }
        store.forget()
        assertNull(audition().kept)
    }

    @Test
    fun `a unit that ended the app twice is not tried again, until the system is another`() {
        fun dies(choice: RuntimeChoice) = runCatching {
            store.begin(key, choice) // and no end
        }
        val gpu = Unit(RuntimeChoice.LITERT_GPU)
        dies(gpu.choice)
        assertNull(hold(gpu).units.single().refusal, "once may be anything")
        dies(gpu.choice)
        assertEquals(Text.UNIT_DIED, refusal(gpu).text)
        assertEquals(1, gpu.opened)
        assertNull(audition(key.copy(system = "Android 1")).hold(listOf(gpu)) { _, _ -> }.units.single().refusal)
        repeat(3) { dies(RuntimeChoice.ONNX_CPU) }
        assertNull(hold(Unit(RuntimeChoice.ONNX_CPU)).units.single().refusal, "the plain CPU is always tried")
    }

    @Test
    fun `an audition that is stopped keeps nothing and blames nobody`() {
        val stopped = runCatching {
            audition().hold(listOf(Unit(RuntimeChoice.ONNX_CPU), Unit(RuntimeChoice.LITERT_GPU))) { choice, _ ->
                if (choice == RuntimeChoice.LITERT_GPU) throw java.util.concurrent.CancellationException("stopped")
            }
        }
        assertTrue(stopped.exceptionOrNull() is java.util.concurrent.CancellationException)
        assertNull(audition().kept)
        assertTrue(!store.died(key, RuntimeChoice.LITERT_GPU))
    }

    @Test
    fun `memory is the highest while the unit was there`() {
        var mib = 100.0
        val unit = Unit(RuntimeChoice.ONNX_CPU_NO_KLEIDIAI) { inputs, real -> real(inputs).also { mib = 260.0 } }
        val found = audition(memoryMib = { mib }).hold(listOf(unit)) { _, _ -> }.units.single()
        assertEquals(listOf<Double?>(100.0, 260.0), listOf(found.baselineMib, found.peakMib))
        assertNotEquals(found.baselineMib, found.peakMib)
    }
}
