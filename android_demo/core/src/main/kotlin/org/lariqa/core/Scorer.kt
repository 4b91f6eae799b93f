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
    /** How far its score of the golden photo may be from the reference; null: the manifest's limit, at least 1e-4. */
    val ownTolerance: Double? = null,
) {
    ONNX_CPU("onnx", "ONNX Runtime", "CPU"),
    ONNX_XNNPACK("onnx", "ONNX Runtime", "XNNPACK"),
    LITERT_CPU("tflite", "LiteRT", "CPU"),

    // The delegate computes in float16. Noise of this size costs less than .003 of SRCC against people's opinions
    // (measured on the authors' 900 published test predictions); three times as much would lose the KAN's whole gain.
    LITERT_GPU("tflite", "LiteRT", "GPU", ownTolerance = 0.005),
    ;

    /** The tolerance of the golden self-test for an artifact with this parity limit. */
    fun tolerance(parityLimit: Double?): Double = ownTolerance ?: maxOf(parityLimit ?: 0.0, PROMISED)

    override fun toString(): String = "$runtime, $accelerator"

    companion object {
        /** What the toolkit promises for float32, in score units. */
        const val PROMISED = 1e-4
    }
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
