package org.lariqa.core

/** A photo of the benchmark, decoded anew for each run. */
class Shot(val name: String, val open: () -> Photo)

/** One model in one process: its load, its runs, and the phone meanwhile. */
class MeasuredRun(
    private val bench: Bench,
    private val request: BenchmarkRequest,
    private val photos: List<Shot>,
    private val flags: MutableList<String>,
    private val watch: (done: Int) -> Unit,
) {
    private val gauges = bench.gauges
    private val scores = linkedMapOf<String, Double>()
    private var began = 0L

    /** The rows; [prove] gives the scores that are known, after all counted runs. */
    fun measure(
        blank: Measurement, load: () -> Scorer, prove: (Scorer) -> List<Measurement.PhotoScore>,
    ): List<Measurement> = MemoryCurve(gauges).use { curve ->
        val before = Weather(gauges)
        began = gauges.nanoTime()
        load().use { scorer ->
            val loadMs = since(began)
            val loaded = curve.note()
            val firstMs = run(scorer, photos.first()).inferenceMs
            scores.clear()
            val runs = List(request.runs) { number ->
                watch(number)
                run(scorer, photos[number % photos.size])
            }
            if (runs.size < FEW_RUNS) flags += "too few runs: ${runs.size}, percentiles want $FEW_RUNS or more"
            val burst = blank.copy(
                setting = blank.setting.copy(runtime = scorer.runtime),
                latency = Measurement.Latency(loadMs, firstMs, runs),
                memory = curve.finish(loaded, inputMib(scorer)),
                conditions = before.until(gauges),
            )
            val rows = listOfNotNull(burst, if (request.sustainedS > 0) sustained(scorer, burst) else null)
            val proved = prove(scorer)
            val scored = scores.filterKeys { name -> proved.none { it.photo == name } }
                .map { (name, score) -> Measurement.PhotoScore(name, score) } + proved
            rows.map { it.copy(scores = scored, flags = flags + heat(it)) }
        }
    }

    /** The same back to back for a while, in the same process. */
    private fun sustained(scorer: Scorer, burst: Measurement): Measurement = MemoryCurve(gauges).use { curve ->
        val before = Weather(gauges)
        val loaded = curve.note()
        val runs = mutableListOf<Measurement.Run>()
        val start = gauges.nanoTime()
        while (since(start) < request.sustainedS * 1000.0 || runs.isEmpty()) {
            watch(request.runs + runs.size)
            runs += run(scorer, photos[runs.size % photos.size])
        }
        // Its baseline is the burst's: what is there now holds the model.
        val memory = curve.finish(loaded, inputMib(scorer)).copy(baselineMib = requireNotNull(burst.memory).baselineMib)
        burst.copy(
            id = newId(), mode = "sustained", latency = requireNotNull(burst.latency).copy(runs = runs), memory = memory,
            conditions = before.until(gauges),
        )
    }

    private fun run(scorer: Scorer, shot: Shot): Measurement.Run {
        val start = gauges.nanoTime()
        val cpu = gauges.cpuMs()
        val photo = shot.open()
        val decoded = gauges.nanoTime()
        val pixels = photo.use { pixelsOf(it, scorer.takes, fit = false) }
        val prepared = gauges.nanoTime()
        scores[shot.name] = scorer.score(pixels).toDouble()
        val inferred = gauges.nanoTime()
        return Measurement.Run(
            decodeMs = (decoded - start) / 1e6,
            preprocessMs = (prepared - decoded) / 1e6,
            inferenceMs = (inferred - prepared) / 1e6,
            postMs = since(inferred),
            cpuMs = gauges.cpuMs() - cpu,
            startedS = (start - began) / 1e9,
        )
    }

    private fun heat(row: Measurement): List<String> = when (val status = row.conditions.thermalStatus) {
        "", THERMAL_WORDS.first() -> emptyList()
        else -> listOf("the phone was hot: thermal status $status")
    }

    private fun inputMib(scorer: Scorer) = scorer.takes.width * scorer.takes.height * 3 / MIB

    private fun since(start: Long) = (gauges.nanoTime() - start) / 1e6

    private companion object {
        const val FEW_RUNS = 20
    }
}

internal fun newId(): String = java.util.UUID.randomUUID().toString().replace("-", "")
