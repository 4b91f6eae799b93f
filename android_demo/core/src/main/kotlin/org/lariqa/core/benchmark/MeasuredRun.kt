package org.lariqa.core.benchmark

import org.lariqa.core.pixels.Photo
import org.lariqa.core.runtimes.Scorer

/** A photo of the benchmark, decoded again for each run. */
class PhotoFile(val name: String, val open: () -> Photo)

/** One model in one process: its load, its runs, and the state of the phone meanwhile. */
class MeasuredRun(
    private val environment: BenchmarkEnvironment,
    private val request: BenchmarkRequest,
    private val photos: List<PhotoFile>,
    private val flags: MutableList<String>,
    private val onProgress: (done: Int) -> Unit,
) {
    private val probe = environment.probe
    private val scores = linkedMapOf<String, Double>()
    private var began = 0L

    /** The rows; [prove] gives the scores whose references are known, after all counted runs. */
    fun measure(
        blank: MeasurementRow, load: () -> Scorer, prove: (Scorer) -> List<MeasurementRow.Score>,
    ): List<MeasurementRow> = MemoryCurve(probe).use { curve ->
        val before = ConditionsAtStart(probe)
        began = probe.nanoTime()
        load().use { scorer ->
            val loadMs = since(began)
            val loaded = curve.sample()
            val firstMs = run(scorer, photos.first()).inferenceMs
            scores.clear()
            val runs = List(request.runs) { number ->
                onProgress(number)
                run(scorer, photos[number % photos.size])
            }
            flags += scorer.remarks
            if (runs.size < FEW_RUNS) flags += "too few runs: ${runs.size}, percentiles need $FEW_RUNS or more"
            val burst = blank.copy(
                setting = blank.setting.copy(runtime = scorer.runtime, weightCache = scorer.weightCache),
                latency = MeasurementRow.Latency(loadMs, firstMs, runs),
                memory = curve.finish(loaded, inputMib(scorer)),
                conditions = before.until(probe),
            )
            val rows = listOfNotNull(burst, if (request.sustainedS > 0) sustained(scorer, burst) else null)
            val proved = prove(scorer)
            val scored = scores.filterKeys { name -> proved.none { it.photo == name } }
                .map { (name, score) -> MeasurementRow.Score(name, score) } + proved
            rows.map { it.copy(scores = scored, flags = flags + heat(it)) }
        }
    }

    /** The same back to back for a while, in the same process. */
    private fun sustained(scorer: Scorer, burst: MeasurementRow): MeasurementRow = MemoryCurve(probe).use { curve ->
        val before = ConditionsAtStart(probe)
        val loaded = curve.sample()
        val runs = mutableListOf<MeasurementRow.Run>()
        val start = probe.nanoTime()
        while (since(start) < request.sustainedS * 1000.0 || runs.isEmpty()) {
            onProgress(request.runs + runs.size)
            runs += run(scorer, photos[runs.size % photos.size])
        }
        // Its baseline is the burst's: what is there now holds the model.
        val memory = curve.finish(loaded, inputMib(scorer)).copy(baselineMib = requireNotNull(burst.memory).baselineMib)
        burst.copy(
            id = newId(), mode = "sustained", latency = requireNotNull(burst.latency).copy(runs = runs), memory = memory,
            conditions = before.until(probe),
        )
    }

    private fun run(scorer: Scorer, file: PhotoFile): MeasurementRow.Run {
        val start = probe.nanoTime()
        val cpu = probe.cpuMs()
        val photo = file.open()
        val decoded = probe.nanoTime()
        val inputs = photo.use { scorer.inputs(it, fit = false) }
        val prepared = probe.nanoTime()
        scores[file.name] = scorer.score(inputs).toDouble()
        val inferred = probe.nanoTime()
        return MeasurementRow.Run(
            decodeMs = (decoded - start) / 1e6,
            preprocessMs = (prepared - decoded) / 1e6,
            inferenceMs = (inferred - prepared) / 1e6,
            postMs = since(inferred),
            cpuMs = probe.cpuMs() - cpu,
            startedS = (start - began) / 1e9,
        )
    }

    private fun heat(row: MeasurementRow): List<String> = when (val status = row.conditions.thermalStatus) {
        "", THERMAL_WORDS.first() -> emptyList()
        else -> listOf("the phone was hot: thermal status $status")
    }

    private fun inputMib(scorer: Scorer) = scorer.artifact.inputs.sumOf { it.bytes } / MIB

    private fun since(start: Long) = (probe.nanoTime() - start) / 1e6

    private companion object {
        const val FEW_RUNS = 20
    }
}

internal fun newId(): String = java.util.UUID.randomUUID().toString().replace("-", "")
