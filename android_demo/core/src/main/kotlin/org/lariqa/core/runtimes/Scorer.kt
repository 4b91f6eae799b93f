package org.lariqa.core.runtimes

import java.nio.ByteBuffer
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.PreprocessSpec
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.inputsOf
import org.lariqa.core.refuse

/** A model that is ready to score photos. */
class Scorer(val artifact: Artifact, private val preprocess: PreprocessSpec, private val runner: Runner) : AutoCloseable {
    val runtime: String get() = runner.runtime
    val weightCache: Boolean get() = runner.weightCache
    val remarks: List<String> get() = runner.remarks

    /** The one size of photo that it takes; null: any. */
    val takes: PhotoSize? = artifact.photoSize

    init {
        require(artifact.input in Artifact.PHOTO_INPUTS) { "${artifact.file} takes ${artifact.input}, no photo" }
    }

    /** The runner's inputs for one photo; [fit] resamples one that does not have the one size instead of refusing it. */
    fun inputs(photo: Photo, fit: Boolean): Map<String, ByteBuffer> = inputsOf(photo, artifact, preprocess, fit)

    /** Score one photo. */
    fun score(photo: Photo, fit: Boolean): Float = score(inputs(photo, fit))

    /** Score inputs that are ready: what the benchmark repeats. */
    fun score(inputs: Map<String, ByteBuffer>): Float {
        val score = anyScore(inputs)
        if (!score.isFinite()) refuse(Text.NOT_A_NUMBER, score)
        return score
    }

    /** Likewise, whatever comes of it: what the audition judges. */
    fun anyScore(inputs: Map<String, ByteBuffer>): Float {
        inputs.values.forEach { it.rewind() }
        return runner.run(inputs)
    }

    fun cancel() = runner.cancel()

    override fun close() = runner.close()
}
