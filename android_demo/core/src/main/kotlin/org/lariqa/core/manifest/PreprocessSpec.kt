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

/** How pixels become the model's two inputs; read from the manifest, never written here. */
data class PreprocessSpec(
    val authenticSidePx: Int,
    val syntheticView: String,
    val syntheticCropPx: Int,
    val mean: List<Float>,
    val std: List<Float>,
) {
    companion object {
        /** What this code implements; another value would be another preprocessing. */
        private val IMPLEMENTED: Map<String, JsonElement> = mapOf(
            "resize" to JsonPrimitive("pillow-bilinear-antialias-width-first"),
            "crop" to JsonPrimitive("torchvision-center-crop"),
            "crop_fill_rgb" to JsonArray(List(3) { JsonPrimitive(0) }),
            "channel_order" to JsonPrimitive("RGB"),
        )
        private val SIDES_PX = 32..8192 // Python has the same least; a larger view has no room in a phone
        private val NUMBERS = setOf("authentic_side_px", "synthetic_view", "synthetic_crop_px", "mean", "std")

        internal fun read(data: JsonObject): PreprocessSpec {
            val unknown = data.filter { (key, value) -> key !in NUMBERS && IMPLEMENTED[key] != value }
            if (unknown.isNotEmpty()) refuse(Text.UNKNOWN_PREPROCESSING, unknown)
            IMPLEMENTED.keys.forEach { require(it in data) { "no $it" } }
            return PreprocessSpec(
                authenticSidePx = data.side("authentic_side_px"),
                syntheticView = data.text("synthetic_view"),
                syntheticCropPx = data.side("synthetic_crop_px"),
                mean = data.list("mean").map { it.jsonPrimitive.double.toFloat() },
                std = data.list("std").map { it.jsonPrimitive.double.toFloat() },
            )
        }

        private fun JsonObject.side(key: String): Int =
            value(key).int.also { require(it in SIDES_PX) { "$key is $it, not within $SIDES_PX" } }
    }
}
