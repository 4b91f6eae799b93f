package org.lariqa.core

/** The best of a burst first. Ties keep their order, so that the earlier photo wins; photos without a score come last. */
fun ranked(results: List<PhotoResult>): List<PhotoResult> =
    results.sortedByDescending { it.score ?: Float.NEGATIVE_INFINITY }

/** The one to keep: the best of at least two scored photos; null where there is nothing to choose from. */
fun keeper(results: List<PhotoResult>): PhotoResult? =
    ranked(results).takeIf { all -> all.count { it.score != null } >= 2 }?.first()

/**
 * How far the best is ahead: less than [tolerance] apart, two photos are equally good as far as this model can tell.
 */
fun isClear(results: List<PhotoResult>, tolerance: Double): Boolean {
    val (first, second) = ranked(results).mapNotNull { it.score }.take(2).also { if (it.size < 2) return false }
    return first - second > tolerance
}

/** One photo and what became of it: a score, or the sentence that says why there is none, or neither while it waits. */
data class PhotoResult(val id: String, val name: String, val score: Float? = null, val problem: Sentence? = null) {
    val waits: Boolean get() = score == null && problem == null
}
