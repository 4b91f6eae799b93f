package org.lariqa.core.runtimes

import ai.onnxruntime.OnnxJavaType
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtSession
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel
import ai.onnxruntime.TensorInfo
import java.io.File
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.FloatBuffer
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.InputSpec
import org.lariqa.core.manifest.Session
import org.lariqa.core.reasonOf
import org.lariqa.core.refuse

/** An .onnx file in ONNX Runtime: the same classes in com.microsoft.onnxruntime:onnxruntime (JVM) and onnxruntime-android. */
class OnnxRunner(file: File, private val artifact: Artifact, choice: RuntimeChoice, threads: Int) : Runner {
    private val environment: OrtEnvironment = OrtEnvironment.getEnvironment("lariqa")
    private val session: OrtSession
    @Volatile private var running: OrtSession.RunOptions? = null

    override val runtime: String = "ONNX Runtime ${environment.version}"

    init {
        session = OrtSession.SessionOptions().use { options ->
            options.setIntraOpNumThreads(threads)
            artifact.session.memoryPattern?.let { options.setMemoryPatternOptimization(it) }
            artifact.session.optimizationLevel?.let { options.setOptimizationLevel(LEVELS.getValue(it)) }
            artifact.session.entries.forEach { (key, value) -> options.addConfigEntry(key, value) }
            if (choice == RuntimeChoice.ONNX_XNNPACK) {
                try {
                    options.addXnnpack(mapOf("intra_op_num_threads" to threads.toString()))
                } catch (error: OrtException) {
                    refuse(Text.NO_ACCELERATOR, runtime, choice.accelerator, reasonOf(error), cause = error)
                }
            }
            try {
                environment.createSession(file.path, options)
            } catch (error: OrtException) {
                refuse(Text.CANNOT_OPEN, runtime, file.name, reasonOf(error), cause = error)
            }
        }
        try {
            checkInputs()
        } catch (error: Throwable) {
            session.close()
            throw error
        }
    }

    /** The session's inputs against the manifest's. */
    private fun checkInputs() {
        for (spec in artifact.inputs) {
            val info = session.inputInfo[spec.name]?.info as? TensorInfo
            val promised = "${spec.name} ${spec.dtype} ${spec.shape}"
            val dtype = when (info?.type) {
                OnnxJavaType.UINT8 -> "uint8"
                OnnxJavaType.FLOAT -> "float32"
                else -> info?.type.toString()
            }
            val came = "${spec.name} $dtype ${info?.shape?.toList()}"
            // A size that the file leaves open is -1 in the session.
            val fits = info != null && dtype == spec.dtype && info.shape.size == spec.shape.size &&
                info.shape.toList().zip(spec.shape).all { (own, given) -> own < 0 || own == given.toLong() }
            if (!fits) refuse(Text.OTHER_INPUT, artifact.file, came, promised)
        }
    }

    override fun run(inputs: Map<String, Buffer>): Float {
        val tensors = LinkedHashMap<String, OnnxTensor>()
        try {
            OrtSession.RunOptions().use { options ->
                for (spec in artifact.inputs) tensors[spec.name] = tensor(inputs.getValue(spec.name), spec)
                running = options
                return session.run(tensors, setOf(artifact.output), options).use { results ->
                    (results[0] as OnnxTensor).floatBuffer.get(0)
                }
            }
        } catch (error: OrtException) {
            refuse(Text.RUN_FAILED, runtime, reasonOf(error), cause = error)
        } finally {
            running = null
            tensors.values.forEach { it.close() }
        }
    }

    private fun tensor(values: Buffer, spec: InputSpec): OnnxTensor {
        val shape = LongArray(spec.shape.size) { spec.shape[it].toLong() }
        return when (values) {
            is ByteBuffer -> OnnxTensor.createTensor(environment, values, shape, OnnxJavaType.UINT8)
            is FloatBuffer -> OnnxTensor.createTensor(environment, values, shape)
            else -> throw IllegalArgumentException("no tensor of ${values.javaClass.simpleName}")
        }
    }

    override fun cancel() {
        try {
            running?.setTerminate(true)
        } catch (_: OrtException) {
            // The run has just ended by itself.
        } catch (_: IllegalStateException) {
            // Likewise: its options are closed.
        }
    }

    override fun close() = session.close()

    companion object {
        private val LEVELS = Session.OPTIMIZATION_LEVELS.zip(
            listOf(OptLevel.NO_OPT, OptLevel.BASIC_OPT, OptLevel.EXTENDED_OPT, OptLevel.ALL_OPT),
        ).toMap()

        /** Loads the library. */
        fun start() {
            OrtEnvironment.getEnvironment("lariqa")
        }
    }
}
