package org.lariqa.core.manifest

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import org.lariqa.core.Text
import org.lariqa.core.refuse

/** One input tensor of an artifact. */
data class InputSpec(val name: String, val dtype: String, val layout: String, val shape: List<Int>) {
    val bytes: Long get() = shape.fold(if (dtype == "uint8") 1L else 4L) { product, side -> product * side }
}

/** What PyTorch gave a photo, and the size of that photo where it is recorded. */
data class Reference(val score: Double, val size: PhotoSize?)

/** A picture of the audition by its name, its size, and what PyTorch gave it. */
data class AuditionReference(val picture: String, val size: PhotoSize, val reference: Double)

/**
 * Options of the runtime that a file was proved and measured with.
 *
 * [memoryPattern] and [optimizationLevel] are ONNX Runtime's; null: as the runtime comes. [compiledModel]: the file wants LiteRT's CompiledModel
 * with [xnnpackFlags]; an Interpreter runs it too, in more memory. [entries]: config entries of an ONNX Runtime session;
 * the app and its requests add them, no manifest does.
 */
data class Session(
    val memoryPattern: Boolean? = null,
    val optimizationLevel: String? = null,
    val compiledModel: Boolean = false,
    val xnnpackFlags: Int? = null,
    val entries: Map<String, String> = emptyMap(),
) {
    companion object {
        internal fun read(row: JsonObject) = Session(
            memoryPattern = row["enable_mem_pattern"]?.jsonPrimitive?.boolean,
            optimizationLevel = row["graph_optimization_level"]?.jsonPrimitive?.content
                ?.also { require(it in OPTIMIZATION_LEVELS) { "graph_optimization_level is $it" } },
            compiledModel = row["interface"]?.jsonPrimitive?.content == "CompiledModel",
            xnnpackFlags = row.whole("xnnpack_flags"),
        )

        /** As manifests name them, from none to all. */
        val OPTIMIZATION_LEVELS = listOf("disabled", "basic", "extended", "all")
    }
}

/** One exported file: what it takes, what it gives, how it was proved. */
data class Artifact(
    val file: String,
    val format: String,
    val precision: String,
    val input: String,
    val syntheticView: String,
    /** The one size of photo that it takes; null: any. */
    val photoSize: PhotoSize?,
    val inputs: List<InputSpec>,
    val output: String,
    val macs: Long,
    val memory: String,
    val session: Session,
    val sha256: String,
    val bytes: Long,
    val parityLimit: Double?,
    /** Largest error of its proof, and below fp32 the error's standard deviation, in score units. */
    val parityWorst: Double?,
    val paritySd: Double?,
    /** What the file itself asks for: by its plan, or float32 where it has none. */
    val arithmetic: Arithmetic,
    val references: Map<String, Reference>,
    /** What a phone holds each unit to, beside the golden photo; empty: that alone. */
    val audition: List<AuditionReference> = emptyList(),
) {
    companion object {
        /** The inputs that are made of a decoded photo here, best first: views take photos of any size, pixels those of one. */
        val PHOTO_INPUTS = listOf("views", "pixels")

        internal fun read(row: JsonObject, preprocess: PreprocessSpec): Artifact {
            val parity = row["parity"] as? JsonObject
            val photoSize = row.size("photo_width_px", "photo_height_px")
            val artifact = Artifact(
                file = row.text("file"),
                format = row.text("format"),
                precision = row.text("precision"),
                input = row.text("input"),
                syntheticView = row.text("synthetic_view"),
                photoSize = photoSize,
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
                parityWorst = parity?.number("worst"),
                paritySd = parity?.number("sd"),
                arithmetic = (row["plan"] as? JsonObject)?.let { arithmeticOf(it) } ?: Arithmetic.FLOAT32,
                references = parity?.list("photos").orEmpty().map { it.jsonObject }
                    .associate {
                        val size = it.size("width_px", "height_px") ?: photoSize // older manifests have the file's alone
                        it.text("photo") to Reference(it.value("reference").double, size)
                    },
                audition = (row["audition"] as? JsonArray).orEmpty().map { it.jsonObject }.map {
                    val size = requireNotNull(it.size("width_px", "height_px")) { "no size of a picture" }
                    require(minOf(size.width, size.height) >= 2) { "a picture of $size px" }
                    AuditionReference(it.text("picture"), size, it.value("reference").double)
                },
            )
            artifact.check(preprocess)
            return artifact
        }

        /** Of a plan: int8 where any group of layers computes in it, else what the other layers compute in. */
        private fun arithmeticOf(plan: JsonObject): Arithmetic {
            val formats = plan.part("weight_formats").values.map { it.jsonPrimitive.content }
            return if (Arithmetic.INT8.key in formats) Arithmetic.INT8 else Arithmetic.of(plan.text("compute"))
        }
    }

    /** The same file, opened with these session config entries as well. */
    fun opened(entries: Map<String, String>): Artifact = copy(session = session.copy(entries = session.entries + entries))

    /** What it is computed in on a processor that computes float layers in [processor]: the coarser of the two. */
    fun arithmetic(processor: Arithmetic): Arithmetic = maxOf(arithmetic, processor)

    /** A manifest may come from anywhere, and it says which files beside it are opened. */
    private fun check(preprocess: PreprocessSpec) {
        val isName = isFileName(file)
        val promised = when (input) {
            "views" -> photoSize == null && inputs.isNotEmpty() && inputs.distinctBy { it.name } == inputs &&
                inputs.all { it == viewSpec(it.name, preprocess) }
            "pixels" -> photoSize != null &&
                inputs.map { it.shape } == listOf(listOf(1, photoSize.height, photoSize.width, 3)) &&
                inputs.all { it.dtype == "uint8" && it.layout == "NHWC" }
            "tensors" -> inputs.isNotEmpty() &&
                inputs.all { it.name in listOf("authentic", "synthetic") && it.dtype == "float32" && it.layout == "NCHW" }
            else -> false
        }
        if (!isName || !promised) refuse(Text.CONTRADICTING_ROW, file, "input $input, photo size $photoSize, inputs $inputs")
    }

    /** A view as the preprocessing makes it; null: there is no such view, or it has no one size. */
    private fun viewSpec(name: String, preprocess: PreprocessSpec): InputSpec? {
        val side = when {
            name == "authentic" -> preprocess.authenticSidePx
            name == "synthetic" && syntheticView == "crop" -> preprocess.syntheticCropPx
            else -> return null
        }
        return InputSpec(name, "uint8", "NHWC", listOf(1, side, side, 3))
    }
}
