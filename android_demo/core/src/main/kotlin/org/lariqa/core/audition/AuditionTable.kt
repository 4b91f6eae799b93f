package org.lariqa.core.audition

import org.lariqa.core.Sentence
import org.lariqa.core.manifest.Arithmetic
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.runtimes.RuntimeChoice

/** What became of one unit of the phone. */
data class UnitResult(
    val choice: RuntimeChoice,
    /** The file that it ran. */
    val file: String,
    /** What the file is computed in on this unit. */
    val arithmetic: Arithmetic,
    val tolerance: Double,
    /** Name and version of the runtime; that of its kind where it did not open. */
    val runtime: String,
    /** Why it is not used; null: it is admitted. */
    val refusal: Sentence?,
    val scores: List<PictureScore> = emptyList(),
    val loadMs: Double? = null,
    /** Inference of the first run, which compiles and packs: not among the timed ones. */
    val firstMs: Double? = null,
    /** Inference of the runs on the golden photo after that. */
    val timedMs: List<Double> = emptyList(),
    /** Of the process: before the unit was opened, and the highest until it was closed. */
    val baselineMib: Double? = null,
    val peakMib: Double? = null,
    val weightCache: Boolean = false,
    /** What must be known before its figures are compared. */
    val remarks: List<String> = emptyList(),
) {
    val isAdmitted: Boolean get() = refusal == null
    val medianMs: Double? get() = timedMs.sorted().let { if (it.isEmpty()) null else (it[(it.size - 1) / 2] + it[it.size / 2]) / 2 }

    /** Largest |difference| over all pictures; null where a score is missing or not finite. */
    val worst: Double? get() = scores.map { Math.abs(it.difference) }.takeIf { it.isNotEmpty() && it.all(Double::isFinite) }?.max()
}

/** What an audition holds for: after an update of the app or the system, or with another export, it is held again. */
data class AuditionKey(val app: String, val system: String, val export: String)

/** All units of a phone, and what its decoders do. */
data class AuditionTable(
    val key: AuditionKey,
    val units: List<UnitResult>,
    val notes: List<Sentence> = emptyList(),
    val decoders: Map<Lossy, DecoderCheck> = emptyMap(),
) {
    /** The fastest admitted one; of those that take about the same time one that computes in float32. */
    val fastest: UnitResult? get() {
        val admitted = units.filter { it.isAdmitted && it.medianMs != null }
        val best = admitted.minOfOrNull { it.medianMs!! } ?: return null
        return admitted.filter { it.medianMs!! <= TIE * best }.minWith(compareBy({ it.arithmetic }, { it.medianMs!! }))
    }

    fun of(choice: RuntimeChoice): UnitResult? = units.firstOrNull { it.choice == choice }

    private companion object {
        const val TIE = 1.05
    }
}
