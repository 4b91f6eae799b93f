package org.lariqa.core

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long

/** `lariqa.json`, the one contract between an export and this app. Schema, words and units: docs/manifest.md. */
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
    /** The one artifact of a format that takes the photo itself. */
    fun artifact(format: String, input: String = "pixels"): Artifact =
        artifacts.firstOrNull { it.format == format && it.input == input } ?: refuse(Text.NO_FORMAT, format)

    companion object {
        const val FILE_NAME = "lariqa.json"
        const val SCHEMA = "lariqa-manifest/2"

        /** Read the manifest's text; [where] names the source in refusals. */
        fun parse(text: String, where: String): Manifest {
            val data = try {
                Json.parseToJsonElement(text)
            } catch (odd: SerializationException) {
                refuse(Text.NOT_JSON, where, reasonOf(odd), cause = odd)
            }
            val schema = (data as? JsonObject)?.get("schema")
            if (schema != JsonPrimitive(SCHEMA)) {
                refuse(Text.OTHER_SCHEMA, where, (schema as? JsonPrimitive)?.let { "'${it.content}'" } ?: "None", "'$SCHEMA'")
            }
            return try {
                read(data.jsonObject)
            } catch (odd: IllegalArgumentException) { // a key is missing, or its value is of another kind
                refuse(Text.INCOMPLETE_MANIFEST, where, reasonOf(odd), cause = odd)
            }
        }

        private fun read(data: JsonObject): Manifest {
            val model = data.part("model")
            val score = data.part("score")
            val range = score.list("nominal_range").map { it.jsonPrimitive.double }
            require(range.size == 2) { "nominal_range has ${range.size} values" }
            return Manifest(
                checkpointSha256 = data.text("checkpoint_sha256"),
                branches = model.list("branches").map { it.jsonPrimitive.content },
                preprocess = PreprocessSpec.read(model.part("preprocess")),
                trained = model.part("provenance").value("trained").boolean,
                score = ScoreScale(range[0], range[1], score.text("meaning")),
                tolerances = Tolerances.read(data.part("tolerances")),
                golden = (data["golden"] as? JsonObject)?.let {
                    Golden(it.text("file"), it.text("sha256"), it.text("fill"))
                },
                artifacts = data.list("artifacts").map { Artifact.read(it.jsonObject) },
            )
        }
    }
}

/** What a score means: its nominal ends (it may leave them), and the exporter's words; higher is better. */
data class ScoreScale(val lowest: Double, val highest: Double, val meaning: String)

/** The picture that a phone tests itself with: a small file beside the manifest, and how it fills a photo. */
data class Golden(val file: String, val sha256: String, val fill: String)

/** One input tensor of an artifact. */
data class InputSpec(val name: String, val dtype: String, val layout: String, val shape: List<Int>)

/**
 * Options of the runtime that a file was proved and measured with.
 *
 * [memoryPattern] is ONNX Runtime's; null: as the runtime comes. [compiledModel]: the file wants LiteRT's CompiledModel
 * with flags for XNNPACK; an Interpreter runs it too, in more memory.
 */
data class Session(val memoryPattern: Boolean? = null, val compiledModel: Boolean = false) {
    companion object {
        internal fun read(row: JsonObject) = Session(
            memoryPattern = row["enable_mem_pattern"]?.jsonPrimitive?.boolean,
            compiledModel = row["interface"]?.jsonPrimitive?.content == "CompiledModel",
        )
    }
}

/** One exported file: what it takes, what it gives, how it was proved. */
data class Artifact(
    val file: String,
    val format: String,
    val precision: String,
    val input: String,
    val syntheticView: String,
    val photoSize: Size?,
    val inputs: List<InputSpec>,
    val output: String,
    val macs: Long,
    val memory: String,
    val session: Session,
    val sha256: String,
    val bytes: Long,
    val parityLimit: Double?,
    /** What the file itself asks for: by its plan, or float32 where it has none. */
    val arithmetic: Arithmetic,
    val references: Map<String, Double>,
) {
    companion object {
        internal fun read(row: JsonObject): Artifact {
            val parity = row["parity"] as? JsonObject
            val artifact = Artifact(
                file = row.text("file"),
                format = row.text("format"),
                precision = row.text("precision"),
                input = row.text("input"),
                syntheticView = row.text("synthetic_view"),
                photoSize = row.whole("photo_width_px")?.let { Size(it, row.value("photo_height_px").int) },
                inputs = row.list("inputs").map { it.jsonObject }.map { spec ->
                    val shape = spec.list("shape").map { it.jsonPrimitive.int }
                    InputSpec(spec.text("name"), spec.text("dtype"), spec.text("layout"), shape)
                },
                output = row.text("output"),
                macs = row.value("macs").long,
                memory = row["memory"]?.jsonPrimitive?.content ?: "naive",
                session = Session.read(row["session"] as? JsonObject ?: JsonObject(emptyMap())),
                sha256 = row.text("sha256"),
                bytes = row.value("bytes").long,
                parityLimit = parity?.value("limit")?.double,
                arithmetic = (row["plan"] as? JsonObject)?.let { arithmeticOf(it) } ?: Arithmetic.FLOAT32,
                references = parity?.list("photos").orEmpty().map { it.jsonObject }
                    .associate { it.text("photo") to it.value("reference").double },
            )
            artifact.check()
            return artifact
        }

        /** Of a plan: int8 where any group of layers computes in it, else what the other layers compute in. */
        private fun arithmeticOf(plan: JsonObject): Arithmetic {
            val formats = plan.part("weight_formats").values.map { it.jsonPrimitive.content }
            return if (Arithmetic.INT8.key in formats) Arithmetic.INT8 else Arithmetic.of(plan.text("compute"))
        }
    }

    /** What it is computed in on a processor that computes float layers in [processor]: the coarser of the two. */
    fun arithmetic(processor: Arithmetic): Arithmetic = maxOf(arithmetic, processor)

    /** A manifest may come from anywhere, and it says which files beside it are opened. */
    private fun check() {
        val isName = file.isNotEmpty() && '/' !in file && '\\' !in file && file != ".."
        val promised = when (input) {
            "pixels" -> photoSize != null &&
                inputs.map { it.shape } == listOf(listOf(1, photoSize.height, photoSize.width, 3)) &&
                inputs.all { it.dtype == "uint8" && it.layout == "NHWC" }
            "tensors" -> inputs.isNotEmpty() &&
                inputs.all { it.name in listOf("authentic", "synthetic") && it.dtype == "float32" && it.layout == "NCHW" }
            else -> false
        }
        if (!isName || !promised) refuse(Text.CONTRADICTING_ROW, file, "input $input, photo size $photoSize, inputs $inputs")
    }
}

internal fun JsonObject.value(key: String): JsonPrimitive =
    requireNotNull(this[key]) { "no $key" }.jsonPrimitive.also { require(it !is JsonNull) { "no value for $key" } }

internal fun JsonObject.text(key: String): String = value(key).also { require(it.isString) { "$key is no text" } }.content

internal fun JsonObject.whole(key: String): Int? = (this[key] as? JsonPrimitive)?.takeIf { it !is JsonNull }?.int

internal fun JsonObject.part(key: String): JsonObject = requireNotNull(this[key]) { "no $key" }.jsonObject

internal fun JsonObject.list(key: String): JsonArray = requireNotNull(this[key]) { "no $key" }.jsonArray

internal fun JsonElement.isText(text: String): Boolean = this == JsonPrimitive(text)
