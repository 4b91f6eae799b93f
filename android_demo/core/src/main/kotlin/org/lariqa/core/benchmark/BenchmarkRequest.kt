package org.lariqa.core.benchmark

import java.io.File
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.refuse
import org.lariqa.core.scoring.RuntimeChoice

/** What `adb shell am start ... --es` or the benchmark screen asks for; docs/schemas/measurement.md has the command. */
data class BenchmarkRequest(
    /** The export's folder; null: the one that the app carries. */
    val folder: File?,
    /** A file that the manifest lists; null: the one of [format]. */
    val model: String?,
    val format: String,
    val out: File,
    val runs: Int,
    val sustainedS: Int,
    val accelerator: String,
) {
    /** Holds one line when all is done: `ok`, or why not. */
    val done: File get() = File("$out.done")

    /** The runtime that opens [artifact] on the accelerator asked for. */
    fun choiceFor(artifact: Artifact): RuntimeChoice =
        RuntimeChoice.entries.firstOrNull { it.format == artifact.format && it.accelerator.lowercase() == accelerator }
            ?: refuse(
                Text.BAD_REQUEST,
                RuntimeChoice.entries.filter { it.format == artifact.format }
                    .joinToString(" or ", "accelerator ") { it.accelerator.lowercase() },
                accelerator,
            )

    companion object {
        const val BUNDLED = "bundled"
        const val LONGEST_S = 3600
        const val MOST_RUNS = 10_000

        /**
         * Read the extras of the intent. Any app on the phone may send one, so rows are written below [ownFolder] only.
         */
        fun read(text: Map<String, String?>, whole: Map<String, Int?>, ownFolder: File): BenchmarkRequest {
            val out = text["out"]?.let { File(it) } ?: File(ownFolder, "rows.jsonl")
            if (!out.canonicalFile.startsWith(ownFolder.canonicalFile)) {
                refuse(Text.BAD_REQUEST, "an out file below $ownFolder", out)
            }
            val runs = whole["runs"] ?: 30
            if (runs !in 1..MOST_RUNS) refuse(Text.BAD_REQUEST, "1 to $MOST_RUNS runs", runs)
            val sustained = whole["sustained_s"] ?: 0
            if (sustained !in 0..LONGEST_S) refuse(Text.BAD_REQUEST, "sustained_s from 0 to $LONGEST_S", sustained)
            return BenchmarkRequest(
                folder = text["dir"].takeUnless { it == null || it == BUNDLED }?.let { File(it) },
                model = text["model"],
                format = text["format"] ?: "onnx",
                out = out,
                runs = runs,
                sustainedS = sustained,
                accelerator = (text["accelerator"] ?: "cpu").lowercase(),
            )
        }
    }
}
