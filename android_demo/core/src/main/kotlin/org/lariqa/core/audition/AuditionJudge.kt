package org.lariqa.core.audition

import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.figure

/** A unit's score of one picture, not a finite number where it gave none, and PyTorch's. */
data class PictureScore(val picture: String, val score: Double, val reference: Double) {
    val difference: Double get() = score - reference
}

/**
 * Why a unit is refused; null: it is admitted, as each of its scores is within the tolerance for what it computes in. Of
 * several reasons the one that says most of the fault: no number at all; the same whatever the picture; how far off, where.
 */
fun refusalOf(scores: List<PictureScore>, tolerance: Double): Sentence? {
    scores.firstOrNull { !it.score.isFinite() }?.let { return Text.UNIT_NOT_FINITE.of(it.picture, it.score) }
    val (given, expected) = spread(scores) { it.score } to spread(scores) { it.reference }
    if (2 * given < expected) return Text.UNIT_BLIND.of(scores.size, figure(given), figure(expected))
    val wrong = scores.filter { Math.abs(it.difference) > tolerance }
    val worst = wrong.maxByOrNull { Math.abs(it.difference) } ?: return null
    val isOffset = scores.size > 1 && wrong.size == scores.size && spread(scores) { it.difference } <= tolerance
    val facts = arrayOf(figure(Math.abs(worst.difference)), worst.picture, figure(tolerance))
    if (isOffset) return Text.UNIT_OFFSET.of(*facts, scores.size)
    return Text.UNIT_OFF.of(*facts, wrong.size, scores.size)
}

/** Largest less smallest. */
private fun spread(scores: List<PictureScore>, of: (PictureScore) -> Double): Double =
    if (scores.isEmpty()) 0.0 else scores.maxOf(of) - scores.minOf(of)
