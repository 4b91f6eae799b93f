package org.lariqa

import com.google.ai.edge.litert.LiteRtException
import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Refusal
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.runtimes.RuntimeChoice

/** What goes into LiteRT's CompiledModel and comes out, with another in its place: its library is for phones only. */
class CompiledModelRunnerTest {
    private val artifact = ExportFolder.open(File(System.getProperty("lariqa.exports"), "views")).manifest.artifact("tflite")
    private val cache = File(Files.createTempDirectory("cache").toFile(), "lariqa")

    private class Recorded : Compiled {
        val written = mutableMapOf<String, ByteArray>()
        var score: () -> Float = { 0.25f }
        var closed = 0
        override fun write(input: String, values: ByteArray) {
            written[input] = values
        }
        override fun write(input: String, values: FloatArray) = error("a views file takes bytes")
        override fun run() = floatArrayOf(score())
        override fun close() {
            closed++
        }
    }

    private fun options(choice: RuntimeChoice, artifact: Artifact = this.artifact) = CompiledOptions.of(artifact, choice, 2, cache)

    private fun inputs() = artifact.inputs.associate { spec ->
        spec.name to ByteBuffer.allocateDirect(spec.bytes.toInt()).also { it.put(0, spec.name.length.toByte()) }
    }

    @Test
    fun `each input is written under its own name, whole, and the score is read`() {
        val model = Recorded()
        val runner = CompiledModelRunner(artifact, options(RuntimeChoice.LITERT_GPU)) { model }
        assertEquals(0.25f, runner.run(inputs()))
        assertEquals(artifact.inputs.map { it.name }.toSet(), model.written.keys)
        for (spec in artifact.inputs) {
            val expected = ByteArray(spec.bytes.toInt()).also { it[0] = spec.name.length.toByte() }
            assertContentEquals(expected, model.written.getValue(spec.name))
        }
        runner.close()
        assertEquals(1, model.closed)
    }

    @Test
    fun `on the CPU the file's flags are taken, and packed weights kept in a file of their own`() {
        assertTrue(artifact.session.compiledModel && artifact.session.xnnpackFlags != null)
        val cpu = options(RuntimeChoice.LITERT_CPU)
        assertEquals(artifact.session.xnnpackFlags, cpu.xnnpackFlags)
        val half = options(RuntimeChoice.LITERT_CPU_FLOAT16)
        assertEquals(artifact.session.xnnpackFlags!! or 0x4, half.xnnpackFlags)
        assertNotEquals(cpu.weightCache, half.weightCache, "packed in another precision")
        assertNotEquals(cpu.weightCache, options(RuntimeChoice.LITERT_CPU, artifact.copy(sha256 = "0".repeat(64))).weightCache)
        val runner = CompiledModelRunner(artifact, cpu) { Recorded() }
        assertTrue(runner.weightCache && cache.isDirectory)
    }

    @Test
    fun `an accelerator is given no flags and no cache, and what LiteRT adds to the NPU is said`() {
        for (choice in listOf(RuntimeChoice.LITERT_GPU, RuntimeChoice.LITERT_NPU)) {
            options(choice).run { assertNull(xnnpackFlags ?: weightCache) }
        }
        fun remarks(choice: RuntimeChoice) = CompiledModelRunner(artifact, options(choice)) { Recorded() }.remarks
        assertEquals(listOf(0, 1), listOf(RuntimeChoice.LITERT_GPU, RuntimeChoice.LITERT_NPU).map { remarks(it).size })
    }

    @Test
    fun `what LiteRT throws is a refusal, at opening and at a run`() {
        val opening = assertFailsWith<Refusal> {
            CompiledModelRunner(artifact, options(RuntimeChoice.LITERT_GPU)) { throw LiteRtException("no accelerator") }
        }
        assertEquals(Text.NO_ACCELERATOR, opening.sentence.text)
        val model = Recorded().apply { score = { throw LiteRtException("lost") } }
        val running = assertFailsWith<Refusal> { CompiledModelRunner(artifact, options(RuntimeChoice.LITERT_GPU)) { model }.run(inputs()) }
        assertEquals(Text.RUN_FAILED, running.sentence.text)
    }

    @Test
    fun `a library that is missing is for the caller to see, who has the Interpreter for the plain CPU`() {
        assertFailsWith<UnsatisfiedLinkError> {
            CompiledModelRunner(artifact, options(RuntimeChoice.LITERT_CPU)) { throw UnsatisfiedLinkError("litert_jni") }
        }
    }
}
