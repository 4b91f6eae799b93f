package org.lariqa.core.benchmark

import org.lariqa.core.audition.AuditionTable
import org.lariqa.core.audition.UnitResult
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.runtimes.RuntimeChoice

/** An audition as rows of docs/schemas/measurement.md, one for each unit; a refused one has its reason as `error`. */
fun auditionRows(
    table: AuditionTable, manifest: Manifest, machine: MeasurementRow.Machine, measuredAt: String, threads: Int,
): List<MeasurementRow> {
    val report = newId()
    return table.units.map { unit ->
        val artifact = manifest.artifacts.firstOrNull { it.file == unit.file }
        MeasurementRow(
            id = newId(), measuredAt = measuredAt, mode = "burst", file = unit.file, machine = machine, report = report,
            setting = MeasurementRow.Setting(
                unit.runtime, threads, unit.choice.key, sessionOptions = unit.choice.sessionOptions, weightCache = unit.weightCache,
            ),
            artifact = artifact, checkpointSha256 = manifest.checkpointSha256, trained = manifest.trained,
            latency = unit.loadMs?.let { MeasurementRow.Latency(it, unit.firstMs, inferenceMs = unit.timedMs) },
            memory = unit.peakMib?.let { peak ->
                MeasurementRow.Memory(unit.baselineMib ?: peak, null, peak, null, emptyList())
            },
            scores = unit.scores.filter { it.score.isFinite() }
                .map { MeasurementRow.Score(it.picture, it.score, it.reference) },
            flags = listOf(FLAG) + table.notes.map { "$it" } + unit.remarks + listOfNotNull(overTheCeiling(unit, table)),
            error = unit.refusal?.toString(),
            decoders = table.decoders,
        )
    }
}

/** Stands in every row of an audition. */
private const val FLAG = "an audition: a few runs, on generated pictures"

/**
 * The ceiling of a runtime's version: with KleidiAI's kernels it may take half as much again as with its own, measured here,
 * on this phone. Each is tried in the same process, so the second may reuse what the first one freed.
 */
private fun overTheCeiling(unit: UnitResult, table: AuditionTable): String? {
    if (unit.choice != RuntimeChoice.ONNX_CPU) return null
    val with = unit.takesMib ?: return null
    val without = table.of(RuntimeChoice.ONNX_CPU_NO_KLEIDIAI)?.takesMib ?: return null
    if (with <= MEMORY_CEILING * without) return null
    return "with KleidiAI ${unit.runtime} takes %.0f MiB here, without it %.0f MiB: more than %.1f times as much"
        .format(java.util.Locale.ROOT, with, without, MEMORY_CEILING)
}

private val UnitResult.takesMib: Double? get() = if (peakMib == null || baselineMib == null) null else peakMib - baselineMib

private const val MEMORY_CEILING = 1.5
