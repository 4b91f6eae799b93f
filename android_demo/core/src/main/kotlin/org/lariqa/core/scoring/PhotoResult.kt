package org.lariqa.core.scoring

import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.PhotoSize

/** One photo and what became of it: a score, or the sentence that says why there is none, or neither while it waits. */
data class PhotoResult(
    /** What opens it again: on Android its content URI. */
    val id: String,
    val name: String,
    val score: Float? = null,
    /** Of the decoded photo; null: not known yet. */
    val size: PhotoSize? = null,
    /** Whether it was resampled: then the score is that of another picture. */
    val wasResampled: Boolean = false,
    val problem: Sentence? = null,
    /** What must be said beside its score. */
    val caveat: Sentence? = null,
) {
    val waits: Boolean get() = score == null && (problem == null || problem.text in UNFINISHED)

    private companion object {
        val UNFINISHED = setOf(Text.CANCELLED, Text.INTERRUPTED)
    }
}
