package org.lariqa.core.benchmark

import java.io.File
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.RuntimeChoice

/** What `adb shell am start ... --es` or the benchmark screen asks for; docs/measurement.md has the command. */
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
    /** Config entries of the ONNX Runtime session. */
    val sessionOptions: Map<String, String> = emptyMap(),
) {
    /** Holds one line when all is done: `ok`, or why not. */
    val done: File get() = File("$out.done")

    /** The runtime that opens [artifact] on the accelerator asked for. */
    fun choiceFor(artifact: Artifact): RuntimeChoice {
        val choices = RuntimeChoice.entries.filter { it.format == artifact.format }
        if (sessionOptions.isNotEmpty() && artifact.format != "onnx") {
            refuse(Text.BAD_REQUEST, "session options for ONNX Runtime, which alone has them", artifact.file)
        }
        return choices.firstOrNull { it.key == accelerator }
            ?: refuse(Text.BAD_REQUEST, choices.map { it.key }.distinct().joinToString(" or ", "accelerator "), accelerator)
    }

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
                sessionOptions = text["session_options"]?.let { sessionOptions(it) }.orEmpty(),
            )
        }

        /** Of ONNX Runtime's entries those that name no file: any app on the phone may send a request. */
        private val SESSION_OPTIONS = Regex(
            """mlas\.\w+|session\.(intra_op|inter_op)\.\w+|session\.(disable_prepacking|set_denormal_as_zero|load_model_format)""",
        )

        /** `key=value`, several with commas between them. */
        private fun sessionOptions(given: String): Map<String, String> = given.split(',').associate { entry ->
            val (key, value) = entry.split('=', limit = 2).map { it.trim() }.takeIf { it.size == 2 && it[0].isNotEmpty() }
                ?: refuse(Text.BAD_REQUEST, "session_options as KEY=VALUE,KEY=VALUE", given)
            if (!SESSION_OPTIONS.matches(key)) {
                refuse(Text.BAD_REQUEST, "session options of mlas, session.intra_op or session.inter_op", key)
            }
            key to value
        }
    }
}
