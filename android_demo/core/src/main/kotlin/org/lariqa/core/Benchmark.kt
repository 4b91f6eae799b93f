package org.lariqa.core

import java.io.Closeable
import java.io.File
import java.util.Collections
import kotlin.concurrent.thread

/** What the phone tells about itself while a measurement runs. */
interface Gauges {
    val machine: Measurement.Machine

    /** Proportional set size of this process. */
    fun memoryMib(): Double

    /** Processor time of this process so far, all threads. */
    fun cpuMs(): Double

    fun temperatureC(): Double?

    /** Android's word: none, light, moderate, severe, critical, emergency, shutdown; in that order. */
    fun thermalStatus(): String

    fun batteryPercent(): Double?

    fun onCharger(): Boolean?

    fun nowIso(): String

    /** For durations. */
    fun nanoTime(): Long = System.nanoTime()
}

/** What the benchmark opens a model with; the app and the tests differ in it. */
class Bench(
    /** Loads the runtime's own library, so that the baseline of memory holds it. */
    val startRuntime: (RuntimeChoice) -> Unit,
    val openRunner: (File, Artifact, RuntimeChoice) -> Runner,
    val openPhoto: (File) -> Photo,
    val gauges: Gauges,
    val threads: Int,
)

/**
 * The protocol of docs/measurement.md: baseline, load, first run, counted runs, and where asked for the same back to
 * back for a while; then the golden photo once more, uncounted, for the score that is known. Whatever goes wrong is a row.
 */
class Benchmark(private val bench: Bench, private val export: ExportFolder, private val request: BenchmarkRequest) {
    private val gauges = bench.gauges
    private val flags = mutableListOf<String>()

    /** One row, or two with a sustained part. [watch] hears how many runs are done, and may throw to stop. */
    fun measure(watch: (done: Int) -> Unit): List<Measurement> {
        val artifact = artifact()
        val choice = request.choiceFor(artifact)
        val setting = Measurement.Setting(choice.runtime, bench.threads, request.accelerator)
        val blank = Measurement(
            id = newId(), measuredAt = gauges.nowIso(), mode = "burst", file = artifact.file, machine = gauges.machine,
            setting = setting, artifact = artifact, checkpointSha256 = export.manifest.checkpointSha256,
            trained = export.manifest.trained,
        )
        return try {
            measure(artifact, choice, blank, watch)
        } catch (refusal: Refusal) {
            listOf(blank.copy(error = refusal.sentence.toString(), flags = flags))
        } catch (_: OutOfMemoryError) {
            listOf(blank.copy(error = Text.OUT_OF_MEMORY.of(artifact.photoSize ?: "?").toString(), flags = flags))
        }
    }

    private fun measure(
        artifact: Artifact, choice: RuntimeChoice, blank: Measurement, watch: (Int) -> Unit,
    ): List<Measurement> {
        val file = export.checked(artifact) {}
        val golden = export.manifest.golden?.let { export.checkedGolden(it) }
        val photos = photos(artifact, golden)
        bench.startRuntime(choice)
        val before = Weather(gauges)
        return MemoryCurve(gauges).use { measure(artifact, choice, blank, file, golden, photos, before, it, watch) }
    }

    private fun measure(
        artifact: Artifact, choice: RuntimeChoice, blank: Measurement, file: File, golden: File?, photos: List<Shot>,
        before: Weather, curve: MemoryCurve, watch: (Int) -> Unit,
    ): List<Measurement> {
        val began = gauges.nanoTime()
        return Scorer(artifact, bench.openRunner(file, artifact, choice)).use { scorer ->
            val loadMs = since(began)
            val loaded = curve.note()
            val firstMs = run(scorer, photos.first(), began).first.inferenceMs
            val burst = mutableListOf<Measurement.Run>()
            val scores = linkedMapOf<String, Double>()
            repeat(request.runs) { number ->
                watch(number)
                val photo = photos[number % photos.size]
                val (run, score) = run(scorer, photo, began)
                burst += run
                scores[photo.name] = score
            }
            if (burst.size < FEW_RUNS) flags += "too few runs: ${burst.size}, percentiles want $FEW_RUNS or more"
            val memory = curve.finish(loaded, takes(scorer))
            val row = blank.copy(
                setting = blank.setting.copy(runtime = scorer.runtime),
                latency = Measurement.Latency(loadMs, firstMs, burst),
                memory = memory,
                conditions = before.until(gauges),
            )
            val sustained = sustained(scorer, photos, row, began, loadMs, firstMs, watch)
            val proved = scores.map { (name, score) -> Measurement.PhotoScore(name, score) } + goldenScore(scorer, choice, golden)
            listOfNotNull(row, sustained).map { it.copy(scores = proved, flags = flags + throttled(it)) }
        }
    }

    private fun artifact(): Artifact {
        val names = export.manifest.artifacts.map { it.file }
        val model = request.model ?: return export.manifest.artifact(request.format)
        return export.manifest.artifacts.firstOrNull { it.file == model && it.contract == "pixels" }
            ?: refuse(Text.BAD_REQUEST, "a model that lariqa.json lists (${names.joinToString()})", model)
    }

    /** The photos that were pushed; where there are none, the golden one. */
    private fun photos(artifact: Artifact, golden: File?): List<Shot> {
        val pushed = export.folder.listFiles().orEmpty()
            .filter { it.extension.lowercase() in PHOTO_SUFFIXES && it != golden }.sorted()
            .map { Shot(it.name) { bench.openPhoto(it) } }
        val size = requireNotNull(artifact.photoSize)
        return pushed.ifEmpty {
            golden ?: refuse(Text.NO_GOLDEN, artifact.file)
            flags += "no photo was pushed: ${golden.name} tiled to $size stands in, so decode_ms is that of a small file"
            listOf(Shot(golden.name) { GoldenPhoto(bench.openPhoto(golden), size) })
        }
    }

    private class Shot(val name: String, val open: () -> Photo)

    private fun run(scorer: Scorer, shot: Shot, began: Long): Pair<Measurement.Run, Double> {
        val start = gauges.nanoTime()
        val cpu = gauges.cpuMs()
        val photo = shot.open()
        val decoded = gauges.nanoTime()
        val pixels = photo.use { pixelsOf(it, scorer.takes, fit = false) }
        val prepared = gauges.nanoTime()
        val score = scorer.score(pixels)
        val inferred = gauges.nanoTime()
        val run = Measurement.Run(
            decodeMs = (decoded - start) / 1e6,
            preprocessMs = (prepared - decoded) / 1e6,
            inferenceMs = (inferred - prepared) / 1e6,
            postMs = since(inferred),
            cpuMs = gauges.cpuMs() - cpu,
            startedS = (start - began) / 1e9,
        )
        return run to score.toDouble()
    }

    private fun sustained(
        scorer: Scorer, photos: List<Shot>, row: Measurement, began: Long, loadMs: Double, firstMs: Double?,
        watch: (Int) -> Unit,
    ): Measurement? {
        if (request.sustainedS == 0) return null
        val before = Weather(gauges)
        val curve = MemoryCurve(gauges)
        val loaded = curve.note()
        val runs = mutableListOf<Measurement.Run>()
        val start = gauges.nanoTime()
        while (since(start) < request.sustainedS * 1000.0 || runs.isEmpty()) {
            watch(request.runs + runs.size)
            runs += run(scorer, photos[runs.size % photos.size], began).first
        }
        // The same process as the burst: its baseline is that of the burst, not what is there now.
        val memory = curve.finish(loaded, takes(scorer)).copy(baselineMib = requireNotNull(row.memory).baselineMib)
        return row.copy(
            id = newId(), mode = "sustained", latency = Measurement.Latency(loadMs, firstMs, runs), memory = memory,
            conditions = before.until(gauges),
        )
    }

    private fun goldenScore(scorer: Scorer, choice: RuntimeChoice, file: File?): List<Measurement.PhotoScore> {
        val golden = export.manifest.golden
        if (golden == null || file == null) {
            flags += "this export has no golden photo: nobody knows whether the scores are right"
            return emptyList()
        }
        val result = bench.openPhoto(file).use {
            goldenTest(scorer, golden, it, choice.tolerance(scorer.artifact.parityLimit))
        }
        if (!result.passed) {
            flags += "the golden photo's score is ${figure(Math.abs(result.difference))} off the reference, " +
                "allowed are ${figure(result.tolerance)}"
        }
        return listOf(Measurement.PhotoScore(golden.file, result.score, result.reference))
    }

    private fun throttled(row: Measurement): List<String> =
        if (row.conditions.thermalStatus in listOf("", "none")) {
            emptyList()
        } else {
            listOf("the phone was hot: thermal status ${row.conditions.thermalStatus}")
        }

    private fun takes(scorer: Scorer) = scorer.takes.width * scorer.takes.height * 3 / MIB

    private fun since(start: Long) = (gauges.nanoTime() - start) / 1e6

    private fun newId() = java.util.UUID.randomUUID().toString().replace("-", "")

    private companion object {
        const val FEW_RUNS = 20
        val PHOTO_SUFFIXES = setOf("jpg", "jpeg", "png", "webp", "heic", "heif", "avif", "bmp", "gif")
    }
}

internal const val MIB = 1024.0 * 1024.0

/** Battery and heat before a measurement; with [until], before and after. */
private class Weather(gauges: Gauges) {
    private val temperature = gauges.temperatureC()
    private val battery = gauges.batteryPercent()
    private val status = gauges.thermalStatus()

    fun until(gauges: Gauges) = Measurement.Conditions(
        temperatureC = listOfNotNull(temperature, gauges.temperatureC()),
        // The worse of both ends: the words are in the order of THERMAL_WORDS.
        thermalStatus = maxOf(status, gauges.thermalStatus(), compareBy { THERMAL_WORDS.indexOf(it) }),
        batteryPercent = listOfNotNull(battery, gauges.batteryPercent()),
        onCharger = gauges.onCharger(),
    )
}

/** Android's words for PowerManager.THERMAL_STATUS_0..6. */
val THERMAL_WORDS = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")

/** Memory over time, read by a thread of its own, so that a peak within a run is seen. */
private class MemoryCurve(private val gauges: Gauges) : Closeable {
    private val began = gauges.nanoTime()
    private val points = Collections.synchronizedList(mutableListOf<Pair<Double, Double>>())
    private val baseline = note()
    @Volatile private var goesOn = true
    private val reader = thread(name = "memory curve", isDaemon = true) {
        while (goesOn) {
            note()
            Thread.sleep(PERIOD_MS)
        }
    }

    fun note(): Double {
        val mib = gauges.memoryMib()
        points += (gauges.nanoTime() - began) / 1e9 to mib
        return mib
    }

    override fun close() {
        goesOn = false
        reader.join()
    }

    fun finish(loaded: Double, inputMib: Double): Measurement.Memory {
        close()
        note()
        return Measurement.Memory(baseline, loaded, points.maxOf { it.second }, inputMib, points.toList())
    }

    private companion object {
        const val PERIOD_MS = 100L // Android answers from its own figure of the last seconds where asked more often
    }
}
