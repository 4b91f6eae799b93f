package org.lariqa.core.runtimes

import org.lariqa.core.Text
import org.lariqa.core.manifest.Golden
import org.lariqa.core.pixels.GoldenPhoto
import org.lariqa.core.pixels.Photo
import org.lariqa.core.refuse

/** What the self-test found: this phone's score of the golden photo, the reference's, and how far apart they may be. */
data class SelfTest(val score: Double, val reference: Double, val tolerance: Double) {
    val difference: Double get() = score - reference

    /** Also false for a score that is not a number. */
    val passed: Boolean get() = Math.abs(difference) <= tolerance

    companion object {
        /** The first run of a model, on a photo whose score is known. */
        fun run(scorer: Scorer, golden: Golden, tile: Photo, tolerance: Double): SelfTest {
            val reference = scorer.artifact.references[golden.file]
            val size = reference?.size
            if (size == null || golden.fill != GoldenPhoto.FILL) refuse(Text.NO_GOLDEN, scorer.artifact.file)
            val score = scorer.score(GoldenPhoto(tile, size), fit = false)
            return SelfTest(score.toDouble(), reference.score, tolerance)
        }
    }
}
