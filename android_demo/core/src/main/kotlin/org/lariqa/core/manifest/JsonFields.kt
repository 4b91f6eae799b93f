package org.lariqa.core.manifest

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

internal fun JsonObject.value(key: String): JsonPrimitive =
    requireNotNull(this[key]) { "no $key" }.jsonPrimitive.also { require(it !is JsonNull) { "no value for $key" } }

internal fun JsonObject.text(key: String): String = value(key).also { require(it.isString) { "$key is no text" } }.content

internal fun JsonObject.whole(key: String): Int? = (this[key] as? JsonPrimitive)?.takeIf { it !is JsonNull }?.int

internal fun JsonObject.number(key: String): Double? = (this[key] as? JsonPrimitive)?.takeIf { it !is JsonNull }?.double

/** A file of the folder itself: a manifest may come from anywhere, and it says which files are opened. */
internal fun isFileName(name: String): Boolean = name.isNotEmpty() && '/' !in name && '\\' !in name && name != ".."

/** Two keys that are both there or both open. */
internal fun JsonObject.size(width: String, height: String): PhotoSize? {
    val (across, down) = whole(width) to whole(height)
    require((across == null) == (down == null)) { "one of $width and $height" }
    return if (across == null || down == null) null else PhotoSize(across, down)
}

internal fun JsonObject.part(key: String): JsonObject = requireNotNull(this[key]) { "no $key" }.jsonObject

internal fun JsonObject.list(key: String): JsonArray = requireNotNull(this[key]) { "no $key" }.jsonArray
