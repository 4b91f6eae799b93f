package org.lariqa.core.manifest

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.lariqa.core.Text
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.reasonOf
import org.lariqa.core.refuse

/** `lariqa.json`, the one contract between an export and this app. Schema, words and units: docs/schemas/manifest.md. */
data class Manifest(
    val checkpointSha256: String,
    val branches: List<String>,
    val preprocess: PreprocessSpec,
    val trained: Boolean,
    val score: ScoreScale,
    val tolerances: Tolerances,
    val golden: Golden?,
    val artifacts: List<Artifact>,
) {
    /** The file of a format that the app runs: one for photos of any size before one for a single size. */
    fun artifact(format: String): Artifact = Artifact.PHOTO_INPUTS
        .firstNotNullOfOrNull { input -> artifacts.firstOrNull { it.format == format && it.input == input } }
        ?: refuse(Text.NO_FORMAT, format)

    companion object {
        const val FILE_NAME = "lariqa.json"
        const val SCHEMA = "lariqa-manifest/2"

        /** Read the manifest's text; [where] names the source in refusals. */
        fun parse(text: String, where: String): Manifest {
            val data = try {
                Json.parseToJsonElement(text)
            } catch (error: SerializationException) {
                refuse(Text.NOT_JSON, where, reasonOf(error), cause = error)
            }
            val schema = (data as? JsonObject)?.get("schema")
            if (schema != JsonPrimitive(SCHEMA)) {
                refuse(Text.OTHER_SCHEMA, where, (schema as? JsonPrimitive)?.let { "'${it.content}'" } ?: "None", "'$SCHEMA'")
            }
            return try {
                read(data.jsonObject)
            } catch (error: IllegalArgumentException) { // a key is missing, or its value is of another kind
                refuse(Text.INCOMPLETE_MANIFEST, where, reasonOf(error), cause = error)
            }
        }

        private fun read(data: JsonObject): Manifest {
            val model = data.part("model")
            val score = data.part("score")
            val range = score.list("nominal_range").map { it.jsonPrimitive.double }
            require(range.size == 2) { "nominal_range has ${range.size} values" }
            val preprocess = PreprocessSpec.read(model.part("preprocess"))
            return Manifest(
                checkpointSha256 = data.text("checkpoint_sha256"),
                branches = model.list("branches").map { it.jsonPrimitive.content },
                preprocess = preprocess,
                trained = model.part("provenance").value("trained").boolean,
                score = ScoreScale(range[0], range[1], score.text("meaning")),
                tolerances = Tolerances.read(data.part("tolerances")),
                golden = (data["golden"] as? JsonObject)?.let { Golden.read(it) },
                artifacts = data.list("artifacts").map { Artifact.read(it.jsonObject, preprocess) },
            )
        }
    }
}

/** What a score means: its nominal ends (it may leave them), and the exporter's words; higher is better. */
data class ScoreScale(val lowest: Double, val highest: Double, val meaning: String)

/** What a phone tests itself with: small files beside the manifest, and how they fill a photo. Older exports have no [lossy] ones. */
data class Golden(
    val file: String,
    val sha256: String,
    val fill: String,
    /** The rules of the audition's generated pictures; null: none. */
    val generator: String? = null,
    /** By which a decoder is judged. */
    val lossy: Map<Lossy, GoldenLossy> = emptyMap(),
) {
    /** Names of all that belongs to it. */
    val files: List<String> get() = listOf(file) + lossy.values.flatMap { listOf(it.file, it.pixelsFile) }

    companion object {
        internal fun read(data: JsonObject) = Golden(
            data.text("file"), data.text("sha256"), data.text("fill"), data["generator"]?.jsonPrimitive?.contentOrNull,
            Lossy.entries.mapNotNull { kind -> (data[kind.name.lowercase()] as? JsonObject)?.let { kind to lossyOf(it) } }.toMap(),
        ).also { golden ->
            require(golden.files.all { isFileName(it) }) { "a golden file is no name: ${golden.files}" }
        }

        private fun lossyOf(data: JsonObject) =
            GoldenLossy(data.text("file"), data.text("sha256"), data.text("pixels_file"), data.text("pixels_sha256"))
    }
}

/** A lossy file, and losslessly the pixels that Pillow decodes it to (with libjpeg-turbo; libheif). */
data class GoldenLossy(val file: String, val sha256: String, val pixelsFile: String, val pixelsSha256: String)
