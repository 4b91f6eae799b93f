package org.lariqa.core.audition

import java.io.IOException
import java.util.concurrent.CancellationException
import org.lariqa.core.Refusal
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.Tolerances
import org.lariqa.core.reasonOf
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer

/** One way to compute that a phone may have. It is opened to be tried, and trusted by its scores alone. */
interface AuditionUnit {
    val choice: RuntimeChoice
    val artifact: Artifact

    /** Opens the model there; the first time this may take long. Refuses, or throws what the runtime says. */
    fun open(): Scorer
}

/**
 * Tries every unit that the phone offers, one after the other: it opens the file, scores the golden photo (the first run,
 * timed apart) and the audition's pictures, and is timed over a few more runs. A unit whose driver ends the app is found
 * by its mark in the [store], and is refused from then on.
 */
class Audition(
    private val key: AuditionKey,
    private val tolerances: Tolerances,
    private val pictures: (Artifact) -> AuditionPictures,
    private val store: AuditionStore?,
    /** Of this process; null: not known. */
    private val memoryMib: (() -> Double)? = null,
    private val nanoTime: () -> Long = System::nanoTime,
) {
    /** What was found before, with the same app, system and export. */
    val kept: AuditionTable? get() = store?.read(key)

    /** [onUnit] is told which unit comes, and how many are done; it may throw to stop. */
    fun hold(units: List<AuditionUnit>, onUnit: (choice: RuntimeChoice, done: Int) -> Unit): AuditionTable {
        val notes = linkedSetOf<Sentence>()
        val results = units.mapIndexed { done, unit ->
            onUnit(unit.choice, done)
            val set = pictures(unit.artifact)
            notes += set.notes
            if (store?.died(key, unit.choice) == true) {
                return@mapIndexed blank(unit, Text.UNIT_DIED.of())
            }
            store?.begin(key, unit.choice)
            try {
                tried(unit, set) { onUnit(unit.choice, done) }
            } finally {
                store?.end(key, unit.choice)
            }
        }
        // A phone of which nothing is right is tried again at the next start.
        return AuditionTable(key, results, notes.toList()).also { if (it.fastest != null) save(it) }
    }

    /** A table that cannot be saved is held again at the next start: no reason to score nothing now. */
    fun save(table: AuditionTable) {
        try {
            store?.write(table)
        } catch (_: IOException) {
            // The disk is full; scoring says so itself.
        }
    }

    private fun tolerance(unit: AuditionUnit) = tolerances.of(unit.artifact, unit.choice.arithmetic)

    private fun blank(unit: AuditionUnit, refusal: Sentence) = UnitResult(
        unit.choice, unit.artifact.file, unit.artifact.arithmetic(unit.choice.arithmetic), tolerance(unit), unit.choice.runtime,
        refusal,
    )

    private fun tried(unit: AuditionUnit, set: AuditionPictures, ensureActive: () -> Unit): UnitResult {
        val memory = PeakMemory(memoryMib)
        val scores = mutableListOf<PictureScore>()
        val timed = mutableListOf<Double>()
        var result = blank(unit, Text.UNIT_DIED.of())
        val refusal = try {
            memory.use {
                val began = nanoTime()
                unit.open().use { scorer ->
                    result = result.copy(
                        runtime = scorer.runtime, loadMs = msSince(began), weightCache = scorer.weightCache, remarks = scorer.remarks,
                    )
                    for (picture in set.all) {
                        ensureActive()
                        val ms = run(scorer, picture, scores)
                        if (result.firstMs == null) result = result.copy(firstMs = ms)
                    }
                    repeat(TIMED_RUNS) {
                        ensureActive()
                        timed += run(scorer, set.all.first(), null)
                    }
                }
            }
            refusalOf(scores, tolerance(unit))
        } catch (stopped: CancellationException) {
            throw stopped
        } catch (refusal: Refusal) {
            refusal.sentence
        } catch (_: OutOfMemoryError) {
            Text.MODEL_OUT_OF_MEMORY.of()
        } catch (error: RuntimeException) {
            Text.RUN_FAILED.of(result.runtime, reasonOf(error))
        } catch (error: LinkageError) {
            Text.NO_ACCELERATOR.of(result.runtime, unit.choice.accelerator, reasonOf(error))
        }
        return result.copy(
            refusal = refusal, scores = scores, timedMs = timed, baselineMib = memory.baselineMib, peakMib = memory.peakMib,
        )
    }

    /** One run, its score into [scores], and how long the model took. A score that is no number is one for the judge. */
    private fun run(scorer: Scorer, picture: AuditionPicture, scores: MutableList<PictureScore>?): Double {
        val inputs = picture.open().use { scorer.inputs(it, fit = false) }
        val began = nanoTime()
        val score = scorer.anyScore(inputs)
        val ms = msSince(began)
        scores?.add(PictureScore(picture.name, score.toDouble(), picture.reference))
        return ms
    }

    private fun msSince(began: Long) = (nanoTime() - began) / 1e6

    private companion object {
        const val TIMED_RUNS = 3
    }
}
