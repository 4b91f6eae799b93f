package org.lariqa

import java.io.File
import java.nio.Buffer
import java.nio.FloatBuffer
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.reasonOf
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Runner
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor
import org.tensorflow.lite.TensorFlowLite

/** A .tflite file on the CPU, through the Interpreter that LiteRT inherits from TensorFlow Lite: where CompiledModel is missing. */
internal class InterpreterRunner(file: File, private val artifact: Artifact, threads: Int) : Runner {
    private val interpreter: Interpreter

    /** Interpreter index -> the manifest's name. */
    private val inputs: List<String>

    override val runtime: String = "LiteRT ${TensorFlowLite.runtimeVersion()} Interpreter"

    override val remarks: List<String> = listOfNotNull(
        ("the file is made for LiteRT's CompiledModel with flags for XNNPACK; the Interpreter has none of them, and takes more " +
            "memory").takeIf { artifact.session.compiledModel },
    )

    init {
        val options = Interpreter.Options().setNumThreads(threads).setUseXNNPACK(true).setCancellable(true)
        try {
            interpreter = Interpreter(file, options)
        } catch (error: RuntimeException) { // IllegalArgument or IllegalState, depending on the native code
            refuse(Text.CANNOT_OPEN, runtime, file.name, reasonOf(error), cause = error)
        }
        try {
            inputs = List(interpreter.inputTensorCount) { nameOf(interpreter.getInputTensor(it)) }
            val missing = artifact.inputs.map { it.name } - inputs.toSet()
            if (missing.isNotEmpty()) refuse(Text.OTHER_INPUT, artifact.file, inputs, missing)
        } catch (error: Throwable) {
            close()
            throw error
        }
    }

    /** The manifest's input that this tensor is. */
    private fun nameOf(tensor: Tensor): String {
        val shape = tensor.shape().toList()
        val dtype = if (tensor.dataType() == DataType.UINT8) "uint8" else tensor.dataType().name.lowercase()
        // The exporter names the tensors. Which of the two views comes first is the converter's choice.
        val spec = artifact.inputs.firstOrNull { it.name == tensor.name() }
        if (spec == null || spec.shape != shape || spec.dtype != dtype) {
            val promised = artifact.inputs.joinToString { "${it.name} ${it.dtype} ${it.shape}" }
            refuse(Text.OTHER_INPUT, artifact.file, "${tensor.name()} $dtype $shape", promised)
        }
        return spec.name
    }

    override fun run(inputs: Map<String, Buffer>): Float {
        val score = FloatBuffer.allocate(1)
        try {
            interpreter.setCancelled(false)
            val values = Array<Any>(this.inputs.size) { inputs.getValue(this.inputs[it]) }
            interpreter.runForMultipleInputsOutputs(values, mapOf(0 to score))
        } catch (error: RuntimeException) {
            refuse(Text.RUN_FAILED, runtime, reasonOf(error), cause = error)
        }
        return score.get(0)
    }

    override fun cancel() = interpreter.setCancelled(true)

    override fun close() = interpreter.close()
}
