package org.lariqa.core.scoring

import java.util.Locale
import kotlin.math.floor
import kotlin.math.log10
import kotlin.math.sqrt
import org.lariqa.core.Sentence
import org.lariqa.core.Text

/**
 * What two scores of one file must differ by to be told apart, from the file's own proof: in fp32 twice its worst error;
 * below it 2 sqrt(2) times the error's standard deviation [sd], as both scores have the error. On an accelerator at least
 * twice the worst difference that its audition saw. Null: not proved. The same on both phones: tests/golden/make_burst.py.
 */
fun marginOf(worst: Double?, sd: Double?, auditionWorst: Double?): Double? {
    if (worst == null) return null
    val own = if (sd == null) 2 * worst else 2 * sqrt(2.0) * sd
    return if (auditionWorst == null) own else maxOf(own, 2 * auditionWorst)
}

/** The photos of one moment, best first: which to keep, by how much it leads, and what may be as good. */
class Burst(results: List<PhotoResult>, private val margin: Double?) {
    /** All photos. Of equal scores the earlier one comes first; photos without a score come last. */
    val order: List<PhotoResult> = results.sortedByDescending { it.score ?: Float.NEGATIVE_INFINITY }

    /** Scored ones: neighbours in [order] that differ by less than the margin, or by nothing, are in one group. */
    val groups: List<List<PhotoResult>>

    /** The one to keep: the best of at least two; null where there is nothing to choose from. */
    val kept: PhotoResult? get() = scored.takeIf { it.size >= 2 }?.first()

    /** What may be as good as the kept one. */
    val asGood: List<PhotoResult> get() = groups.firstOrNull().orEmpty().drop(1)

    private val scored = order.filter { it.score != null }

    init {
        val made = mutableListOf<MutableList<PhotoResult>>()
        scored.forEachIndexed { place, photo ->
            val lead = if (place == 0) Double.POSITIVE_INFINITY else scored[place - 1].leads(photo)
            if (lead == 0.0 || lead < (margin ?: 0.0)) made.last() += photo else made += mutableListOf(photo)
        }
        groups = made
    }

    val sentence: Sentence
        get() {
            val best = scored.firstOrNull() ?: return Text.BURST_NONE.of()
            val second = scored.getOrNull(1) ?: return Text.BURST_ONE.of(best.name)
            val lead = digits(best.leads(second))
            return when {
                margin == null -> Text.BURST_UNPROVED.of(best.name, second.name, lead)
                asGood.isEmpty() -> Text.BURST_APART.of(best.name, second.name, lead, digits(margin))
                else -> Text.BURST_ALIKE.of(best.name, second.name, lead, digits(margin), asGood.joinToString { it.name })
            }
        }

    private fun PhotoResult.leads(other: PhotoResult): Double = score!!.toDouble() - other.score!!.toDouble()
}

/** Two significant digits, never an exponent: 0.11, 0.0036, 12. */
internal fun digits(value: Double): String {
    if (value == 0.0) return "0"
    return "%.${maxOf(0, 1 - floor(log10(value)).toInt())}f".format(Locale.ROOT, value)
}
