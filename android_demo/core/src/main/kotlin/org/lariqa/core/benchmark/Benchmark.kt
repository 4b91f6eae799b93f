package org.lariqa.core.benchmark

import java.io.File
import org.lariqa.core.Refusal
import org.lariqa.core.Text
import org.lariqa.core.audition.Decoders
import org.lariqa.core.figure
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.pixels.GoldenPhoto
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer
import org.lariqa.core.runtimes.SelfTest

/**
 * The protocol of docs/schemas/measurement.md: baseline, load, first run, counted runs and, on request, the same back to
 * back for a while; then the golden photo once more, uncounted, because its score is known. A failure is a row, too.
 */
class Benchmark(
    private val environment: BenchmarkEnvironment,
    private val export: ExportFolder,
    private val request: BenchmarkRequest,
) {
    private val flags = mutableListOf<String>()

    /** One row, or two with a sustained part. [onProgress] is told how many runs are done, and may throw to stop. */
    fun measure(onProgress: (done: Int) -> Unit): List<MeasurementRow> {
        val listed = artifact()
        val choice = request.choiceFor(listed)
        val artifact = listed.opened(choice.sessionOptions + request.sessionOptions)
        val blank = MeasurementRow(
            id = newId(), measuredAt = environment.probe.nowIso(), mode = "burst", file = artifact.file,
            machine = environment.probe.machine,
            setting = MeasurementRow.Setting(
                choice.runtime, environment.threads, choice.key, sessionOptions = artifact.session.entries,
            ),
            artifact = artifact, checkpointSha256 = export.manifest.checkpointSha256, trained = export.manifest.trained,
        )
        return try {
            val file = export.verified(artifact) {}
            val golden = export.manifest.golden?.let { export.verifiedGolden(it) }
            environment.startRuntime(choice)
            val run = MeasuredRun(environment, request, photos(artifact, golden), flags, onProgress)
            var decoders = Decoders()
            run.measure(blank, {
                Scorer(artifact, export.manifest.preprocess, environment.openRunner(file, artifact, choice))
            }) { scorer ->
                decoders = Decoders.of(export, scorer, environment.decoder, environment.openPhoto)
                flags += decoders.problems.values.filter { it.text != Text.NO_HEIC }.map { "$it" }
                goldenScore(scorer, choice, golden)
            }.map { it.copy(decoders = decoders.checks) }
        } catch (refusal: Refusal) {
            listOf(blank.copy(error = refusal.sentence.toString(), flags = flags))
        } catch (_: OutOfMemoryError) {
            listOf(blank.copy(error = Text.MODEL_OUT_OF_MEMORY.of().toString(), flags = flags))
        }
    }

    private fun artifact(): Artifact {
        val names = export.manifest.artifacts.map { it.file }
        val model = request.model ?: return export.manifest.artifact(request.format)
        return export.manifest.artifacts.firstOrNull { it.file == model && it.input in Artifact.PHOTO_INPUTS }
            ?: refuse(Text.BAD_REQUEST, "a model that lariqa.json lists (${names.joinToString()})", model)
    }

    /** The photos that were pushed or, where there are none, the golden one. */
    private fun photos(artifact: Artifact, golden: File?): List<PhotoFile> {
        val own = export.manifest.golden?.files.orEmpty()
        val pushed = export.folder.listFiles().orEmpty()
            .filter { it.extension.lowercase() in PHOTO_SUFFIXES && it.name !in own }.sorted()
            .map { PhotoFile(it.name) { environment.openPhoto(it) } }
        return pushed.ifEmpty {
            val size = golden?.let { artifact.references[it.name]?.size } ?: refuse(Text.NO_GOLDEN, artifact.file)
            flags += "no photo was pushed: ${golden.name} tiled to $size stands in, so decode_ms is that of a small file"
            listOf(PhotoFile(golden.name) { GoldenPhoto(environment.openPhoto(golden), size) })
        }
    }

    private fun goldenScore(scorer: Scorer, choice: RuntimeChoice, file: File?): List<MeasurementRow.Score> {
        val golden = export.manifest.golden
        if (golden == null || file == null) {
            flags += "this export has no golden photo, so the scores could not be checked"
            return emptyList()
        }
        val result = environment.openPhoto(file).use {
            SelfTest.run(scorer, golden, it, export.manifest.tolerances.of(scorer.artifact, choice.arithmetic))
        }
        if (!result.passed) {
            flags += "the golden photo's score is ${figure(Math.abs(result.difference))} off the reference, " +
                "at most ${figure(result.tolerance)} is allowed"
        }
        return listOf(MeasurementRow.Score(golden.file, result.score, result.reference))
    }

    private companion object {
        val PHOTO_SUFFIXES = setOf("jpg", "jpeg", "png", "webp", "heic", "heif", "avif", "bmp", "gif")
    }
}
