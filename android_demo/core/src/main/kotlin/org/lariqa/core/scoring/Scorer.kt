package org.lariqa.core.scoring

import java.nio.ByteBuffer
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.pixelsOf
import org.lariqa.core.refuse

/** A model that is ready to score photos. */
class Scorer(val artifact: Artifact, private val runner: Runner) : AutoCloseable {
    val runtime: String get() = runner.runtime

    /** The size of photo that it takes. */
    val takes: PhotoSize = requireNotNull(artifact.photoSize) { "${artifact.file} takes no pixels" }

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
