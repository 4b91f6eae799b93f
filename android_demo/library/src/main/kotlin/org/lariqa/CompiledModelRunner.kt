package org.lariqa

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.LiteRtException
import com.google.ai.edge.litert.TensorBuffer
import java.io.File
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.FloatBuffer
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.reasonOf
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice

/** How a file is opened by LiteRT's CompiledModel. */
internal data class CompiledOptions(
    val choice: RuntimeChoice, val threads: Int, val xnnpackFlags: Int?,
    /** Where XNNPACK keeps the weights that it packed: they are mapped from there instead of held a second time. */
    val weightCache: File?,
) {
    companion object {
        private const val FORCE_FLOAT16 = 0x4 // of XNNPACK's delegate
        private const val DEFAULT_FLAGS = 0x1 or 0x2 // int8 operators, as the delegate's own default

        fun of(artifact: Artifact, choice: RuntimeChoice, threads: Int, cacheFolder: File): CompiledOptions {
            val ofFile = artifact.session.xnnpackFlags.takeIf { artifact.session.compiledModel }
            return when (choice) {
                RuntimeChoice.LITERT_CPU -> CompiledOptions(choice, threads, ofFile, cache(artifact, "float32", cacheFolder))
                RuntimeChoice.LITERT_CPU_FLOAT16 -> CompiledOptions(
                    choice, threads, (ofFile ?: DEFAULT_FLAGS) or FORCE_FLOAT16, cache(artifact, "float16", cacheFolder),
                )
                else -> CompiledOptions(choice, threads, null, null)
            }
        }

        /** Named after the file's sum and the runtime: packed weights of another are never taken. */
        private fun cache(artifact: Artifact, kind: String, folder: File) =
            File(folder, "${artifact.sha256.take(16)}-${Runtimes.LITERT}-$kind.xnnpack")
    }
}

/** What the runner needs of a compiled model; the tests have another. */
internal interface Compiled : AutoCloseable {
    fun write(input: String, values: ByteArray)

    fun write(input: String, values: FloatArray)

    fun run(): FloatArray
}

/**
 * A .tflite file in LiteRT 2.x's CompiledModel: the one way to its GPU and NPU, and on the CPU the one with XNNPACK's flags
 * and packed weights kept in a file. Only the accelerator asked for is named, so that what it cannot run is refused.
 */
internal class CompiledModelRunner(
    private val artifact: Artifact, private val options: CompiledOptions, compile: (CompiledOptions) -> Compiled,
) : Runner {
    override val runtime = "LiteRT ${Runtimes.LITERT} CompiledModel"
    override val weightCache = options.weightCache != null
    override val remarks = listOfNotNull(
        "LiteRT adds the CPU to the NPU: what the NPU cannot run, the CPU does".takeIf { options.choice == RuntimeChoice.LITERT_NPU },
    )
    private val compiled: Compiled

    init {
        options.weightCache?.parentFile?.mkdirs()
        compiled = refusing({ refuse(Text.NO_ACCELERATOR, runtime, options.choice.accelerator, it) }) { compile(options) }
    }

    override fun run(inputs: Map<String, Buffer>): Float = refusing({ refuse(Text.RUN_FAILED, runtime, it) }) {
        for (spec in artifact.inputs) {
            when (val values = inputs.getValue(spec.name)) {
                is ByteBuffer -> compiled.write(spec.name, ByteArray(values.remaining()).also { values.get(it) })
                is FloatBuffer -> compiled.write(spec.name, FloatArray(values.remaining()).also { values.get(it) })
                else -> throw IllegalArgumentException("no tensor of ${values.javaClass.simpleName}")
            }
        }
        compiled.run().first()
    }

    /** What LiteRT throws, as a refusal; a library that is not there is for who opens it to see. */
    private fun <T> refusing(refuse: (reason: String) -> Nothing, work: () -> T): T = try {
        work()
    } catch (error: LiteRtException) {
        refuse(reasonOf(error))
    } catch (error: RuntimeException) {
        refuse(reasonOf(error))
    }

    /** CompiledModel has no way to stop a run. */
    override fun cancel() = Unit

    override fun close() = compiled.close()
}

/** The real one. Its inputs and its output have the manifest's names: the exporter gives them to the file's signature. */
internal class LiteRtCompiled(file: File, private val artifact: Artifact, options: CompiledOptions) : Compiled {
    private val model = CompiledModel.create(file.path, optionsOf(options))
    private val inputs = LinkedHashMap<String, TensorBuffer>()
    private val outputs = LinkedHashMap<String, TensorBuffer>()

    init {
        try {
            for (spec in artifact.inputs) inputs[spec.name] = model.createInputBuffer(spec.name)
            outputs[artifact.output] = model.createOutputBuffer(artifact.output)
        } catch (error: Throwable) {
            close()
            throw error
        }
    }

    override fun write(input: String, values: ByteArray) = inputs.getValue(input).writeInt8(values)

    override fun write(input: String, values: FloatArray) = inputs.getValue(input).writeFloat(values)

    override fun run(): FloatArray {
        model.run(inputs, outputs)
        return outputs.getValue(artifact.output).readFloat()
    }

    override fun close() {
        (inputs.values + outputs.values).forEach { it.close() }
        model.close()
    }

    private companion object {
        fun optionsOf(options: CompiledOptions): CompiledModel.Options {
            val accelerator = when (options.choice) {
                RuntimeChoice.LITERT_GPU -> Accelerator.GPU
                RuntimeChoice.LITERT_NPU -> Accelerator.NPU
                else -> Accelerator.CPU
            }
            return CompiledModel.Options(accelerator).apply {
                if (accelerator == Accelerator.CPU) {
                    cpuOptions = CompiledModel.CpuOptions(options.threads, options.xnnpackFlags, options.weightCache?.path)
                }
            }
        }
    }
}
