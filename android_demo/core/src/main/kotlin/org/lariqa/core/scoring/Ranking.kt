package org.lariqa.core.scoring

/** The best of a burst first. Ties keep their order, so that the earlier photo wins; photos without a score come last. */
fun ranked(results: List<PhotoResult>): List<PhotoResult> =
    results.sortedByDescending { it.score ?: Float.NEGATIVE_INFINITY }

/** The one to keep: the best of at least two scored photos; null where there is nothing to choose from. */
fun kept(results: List<PhotoResult>): PhotoResult? =
    ranked(results).takeIf { all -> all.count { it.score != null } >= 2 }?.first()

/** How far the best is ahead of the second, in score units; null where there is nothing to choose from. */
fun lead(results: List<PhotoResult>): Float? =
    ranked(results).mapNotNull { it.score }.take(2).takeIf { it.size == 2 }?.let { (first, second) -> first - second }
