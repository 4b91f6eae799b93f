package org.lariqa.core

import java.nio.Buffer
import java.nio.ByteBuffer

/** What opens one model file and runs it. One thread at a time; [cancel] may come from another. */
interface Runner : AutoCloseable {
    /** Name and version, as shown to people. */
    val runtime: String

    /** Input name -> values in a direct buffer, as the manifest describes them; returns the score. */
    fun run(inputs: Map<String, Buffer>): Float

    /** End the run in progress soon; it then throws. */
    fun cancel()
}

/** A runtime and what it computes on. */
enum class RuntimeChoice(
    val format: String,
    val runtime: String,
    val accelerator: String,
    /** What it computes float layers in. */
    val arithmetic: Arithmetic,
) {
    ONNX_CPU("onnx", "ONNX Runtime", "CPU", Arithmetic.FLOAT32),
    ONNX_XNNPACK("onnx", "ONNX Runtime", "XNNPACK", Arithmetic.FLOAT32), // on the CPU, with other kernels
    LITERT_CPU("tflite", "LiteRT", "CPU", Arithmetic.FLOAT32),
    LITERT_GPU("tflite", "LiteRT", "GPU", Arithmetic.FLOAT16), // so does LiteRT's GPU delegate by default
    ;

    override fun toString(): String = "$runtime, $accelerator"
}

/** A model that is ready to score photos. */
class Scorer(val artifact: Artifact, private val runner: Runner) : AutoCloseable {
    val runtime: String get() = runner.runtime

    /** The size of photo that it takes. */
    val takes: Size = requireNotNull(artifact.photoSize) { "${artifact.file} takes no pixels" }

    /** Score one photo; [fit] resamples one of another size instead of refusing it. */
    fun score(photo: Photo, fit: Boolean): Float = score(pixelsOf(photo, takes, fit))

    /** Score pixels that are ready: what the benchmark repeats. */
    fun score(pixels: ByteBuffer): Float {
        pixels.rewind()
        val score = runner.run(mapOf(artifact.inputs.single().name to pixels))
        if (!score.isFinite()) refuse(Text.NOT_A_NUMBER, score)
        return score
    }

    fun cancel() = runner.cancel()

    override fun close() = runner.close()
}
