package org.lariqa.core.manifest

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonPrimitive
import org.lariqa.core.Text
import org.lariqa.core.refuse

/** How pixels become the model's two inputs; read from the manifest, never known here. */
data class PreprocessSpec(
    val authenticSidePx: Int,
    val syntheticView: String,
    val syntheticCropPx: Int,
    val mean: List<Float>,
    val std: List<Float>,
) {
    companion object {
        /** The words that this code does; another word would be another preprocessing. */
        private val PROMISED: Map<String, JsonElement> = mapOf(
            "resize" to JsonPrimitive("pillow-bilinear-antialias-width-first"),
            "crop" to JsonPrimitive("torchvision-center-crop"),
            "crop_fill_rgb" to JsonArray(List(3) { JsonPrimitive(0) }),
            "channel_order" to JsonPrimitive("RGB"),
        )
        private val NUMBERS = setOf("authentic_side_px", "synthetic_view", "synthetic_crop_px", "mean", "std")

        internal fun read(data: JsonObject): PreprocessSpec {
            val odd = data.filter { (key, value) -> key !in NUMBERS && PROMISED[key] != value }
            if (odd.isNotEmpty()) refuse(Text.UNKNOWN_PREPROCESSING, odd)
            PROMISED.keys.forEach { require(it in data) { "no $it" } }
            return PreprocessSpec(
                authenticSidePx = data.value("authentic_side_px").int,
                syntheticView = data.text("synthetic_view"),
                syntheticCropPx = data.value("synthetic_crop_px").int,
                mean = data.list("mean").map { it.jsonPrimitive.double.toFloat() },
                std = data.list("std").map { it.jsonPrimitive.double.toFloat() },
            )
        }
    }
}
