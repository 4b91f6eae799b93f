package org.lariqa.core.scoring

import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.audition.AuditionTable
import org.lariqa.core.audition.Decoders
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.pixels.Photo
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer
import org.lariqa.core.runtimes.SelfTest

/** A photo's score, the photo's own size, and what must be said beside it. */
data class PhotoScore(
    val score: Float,
    val size: PhotoSize,
    /** Then it is the score of another picture. */
    val wasResampled: Boolean,
    /** A decoder that is off. */
    val caveat: Sentence?,
)

/** An export that is open on one unit of the phone and has scored the golden photo right there. One thread at a time. */
class LoadedModel(
    val manifest: Manifest,
    val choice: RuntimeChoice,
    private val scorer: Scorer,
    val selfTest: SelfTest,
    /** Null: no audition was held. */
    val table: AuditionTable?,
    val decoders: Decoders = Decoders(),
) : AutoCloseable {
    val artifact: Artifact get() = scorer.artifact

    /** Name and version, as shown to people. */
    val runtime: String get() = scorer.runtime

    /** The one size of photo that it takes; null: any. */
    val takes: PhotoSize? get() = scorer.takes

    /** What two scores must differ by to be told apart; null: the export was not proved. */
    val margin: Double? = marginOf(
        artifact.parityWorst, artifact.paritySd, if (choice.isPlainCpu) null else table?.of(choice)?.worst,
    )

    /** Score what [open] decodes; [fit] resamples a photo that does not have the one size instead of refusing it. */
    fun score(fit: Boolean = false, open: () -> Photo): PhotoScore {
        var size: PhotoSize? = null
        try {
            var lossy: Lossy? = null
            val inputs = open().use { // the decoder's picture is freed before the model runs
                size = it.size
                lossy = it.lossy
                scorer.inputs(it, fit)
            }
            val caveat = lossy?.let { decoders.caveat(it) }
            return PhotoScore(scorer.score(inputs), size!!, takes != null && takes != size, caveat)
        } catch (error: OutOfMemoryError) {
            refuse(Text.OUT_OF_MEMORY, size ?: "?", cause = error)
        }
    }

    /** Ends the run in progress soon, from any thread; it then refuses. */
    fun cancel() = scorer.cancel()

    override fun close() = scorer.close()
}
