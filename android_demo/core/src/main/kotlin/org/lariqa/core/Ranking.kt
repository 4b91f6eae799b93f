package org.lariqa.core

/** One photo and what became of it: a score, or the sentence that says why there is none, or neither while it waits. */
data class PhotoResult(
    /** What opens it again: on Android its content URI. */
    val id: String,
    val name: String,
    val score: Float? = null,
    /** Whether it was resampled: then the score is that of another picture. */
    val fitted: Boolean = false,
    val problem: Sentence? = null,
) {
    val waits: Boolean get() = score == null && (problem == null || problem.text in UNFINISHED)

    private companion object {
        val UNFINISHED = setOf(Text.CANCELLED, Text.INTERRUPTED)
    }
}

/** The best of a burst first. Ties keep their order, so that the earlier photo wins; photos without a score come last. */
fun ranked(results: List<PhotoResult>): List<PhotoResult> =
    results.sortedByDescending { it.score ?: Float.NEGATIVE_INFINITY }

/** The one to keep: the best of at least two scored photos; null where there is nothing to choose from. */
fun keeper(results: List<PhotoResult>): PhotoResult? =
    ranked(results).takeIf { all -> all.count { it.score != null } >= 2 }?.first()

/** How far the best is ahead of the second, in score units; null where there is nothing to choose from. */
fun lead(results: List<PhotoResult>): Float? =
    ranked(results).mapNotNull { it.score }.take(2).takeIf { it.size == 2 }?.let { (first, second) -> first - second }
