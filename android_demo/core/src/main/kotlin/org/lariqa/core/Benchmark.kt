package org.lariqa.core

import java.io.File

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
    private val flags = mutableListOf<String>()

    /** One row, or two with a sustained part. [watch] hears how many runs are done, and may throw to stop. */
    fun measure(watch: (done: Int) -> Unit): List<Measurement> {
        val artifact = artifact()
        val choice = request.choiceFor(artifact)
        val blank = Measurement(
            id = newId(), measuredAt = bench.gauges.nowIso(), mode = "burst", file = artifact.file,
            machine = bench.gauges.machine,
            setting = Measurement.Setting(choice.runtime, bench.threads, request.accelerator),
            artifact = artifact, checkpointSha256 = export.manifest.checkpointSha256, trained = export.manifest.trained,
        )
        if (artifact.session.compiledModel) flags += INTERPRETER
        return try {
            val file = export.checked(artifact) {}
            val golden = export.manifest.golden?.let { export.checkedGolden(it) }
            bench.startRuntime(choice)
            val run = MeasuredRun(bench, request, photos(artifact, golden), flags, watch)
            run.measure(blank, { Scorer(artifact, bench.openRunner(file, artifact, choice)) }) { scorer ->
                goldenScore(scorer, choice, golden)
            }
        } catch (refusal: Refusal) {
            listOf(blank.copy(error = refusal.sentence.toString(), flags = flags))
        } catch (_: OutOfMemoryError) {
            listOf(blank.copy(error = Text.OUT_OF_MEMORY.of(artifact.photoSize ?: "?").toString(), flags = flags))
        }
    }

    private fun artifact(): Artifact {
        val names = export.manifest.artifacts.map { it.file }
        val model = request.model ?: return export.manifest.artifact(request.format)
        return export.manifest.artifacts.firstOrNull { it.file == model && it.input == "pixels" }
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

    private fun goldenScore(scorer: Scorer, choice: RuntimeChoice, file: File?): List<Measurement.PhotoScore> {
        val golden = export.manifest.golden
        if (golden == null || file == null) {
            flags += "this export has no golden photo: nobody knows whether the scores are right"
            return emptyList()
        }
        val result = bench.openPhoto(file).use {
            goldenTest(scorer, golden, it, export.manifest.tolerances.of(scorer.artifact, choice.arithmetic))
        }
        if (!result.passed) {
            flags += "the golden photo's score is ${figure(Math.abs(result.difference))} off the reference, " +
                "allowed are ${figure(result.tolerance)}"
        }
        return listOf(Measurement.PhotoScore(golden.file, result.score, result.reference))
    }

    private companion object {
        const val INTERPRETER = "the file is made for LiteRT's CompiledModel with flags for XNNPACK; this app's Interpreter " +
            "has none of them, and takes more memory"
        val PHOTO_SUFFIXES = setOf("jpg", "jpeg", "png", "webp", "heic", "heif", "avif", "bmp", "gif")
    }
}
