package org.lariqa.core.audition

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.Arithmetic
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.number
import org.lariqa.core.manifest.part
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.value
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.runtimes.RuntimeChoice

// The stored table. A score that is no number is written as text: JSON has none.

internal fun AuditionTable.toJson(): JsonObject = buildJsonObject {
    put("key", key.toJson())
    putJsonArray("units") { units.forEach { add(it.toJson()) } }
    putJsonArray("notes") { notes.forEach { add(it.toJson()) } }
    for ((kind, check) in decoders) put(kind.key, check.toJson())
}

/** @throws IllegalArgumentException it is damaged, or of another version. */
internal fun tableOf(data: JsonObject) = AuditionTable(
    keyOf(data.part("key")),
    data.list("units").map { unitOf(it.jsonObject) },
    data.list("notes").map { sentenceOf(it.jsonObject) },
    Lossy.entries.mapNotNull { kind -> (data[kind.key] as? JsonObject)?.let { kind to decoderOf(it) } }.toMap(),
)

internal fun beginsOf(key: AuditionKey, ends: Map<RuntimeChoice, Int>): JsonObject = buildJsonObject {
    put("key", key.toJson())
    putJsonObject("ends") { ends.forEach { (choice, count) -> put(choice.name, count) } }
}

private fun AuditionKey.toJson() = buildJsonObject {
    put("app", app)
    put("system", system)
    put("export", export)
}

internal fun keyOf(data: JsonObject) = AuditionKey(data.text("app"), data.text("system"), data.text("export"))

private fun Sentence.toJson() = buildJsonObject {
    put("text", text.name)
    putJsonArray("facts") { facts.forEach { add(it) } }
}

private fun sentenceOf(data: JsonObject) =
    Sentence(Text.valueOf(data.text("text")), data.list("facts").map { it.jsonPrimitive.content })

private fun UnitResult.toJson() = buildJsonObject {
    put("choice", choice.name)
    put("file", file)
    put("arithmetic", arithmetic.name)
    put("tolerance", tolerance)
    put("runtime", runtime)
    refusal?.let { put("refusal", it.toJson()) }
    putJsonArray("scores") {
        for (score in scores) {
            addJsonObject {
                put("picture", score.picture)
                put("score", score.score.toString())
                put("reference", score.reference)
            }
        }
    }
    number("load_ms", loadMs)
    number("first_ms", firstMs)
    putJsonArray("timed_ms") { timedMs.forEach { add(it) } }
    number("baseline_mib", baselineMib)
    number("peak_mib", peakMib)
    put("weight_cache", weightCache)
    putJsonArray("remarks") { remarks.forEach { add(it) } }
}

private fun unitOf(data: JsonObject) = UnitResult(
    choice = RuntimeChoice.valueOf(data.text("choice")),
    file = data.text("file"),
    arithmetic = Arithmetic.valueOf(data.text("arithmetic")),
    tolerance = data.value("tolerance").double,
    runtime = data.text("runtime"),
    refusal = (data["refusal"] as? JsonObject)?.let { sentenceOf(it) },
    scores = data.list("scores").map { it.jsonObject }
        .map { PictureScore(it.text("picture"), it.text("score").toDouble(), it.value("reference").double) },
    loadMs = data.number("load_ms"),
    firstMs = data.number("first_ms"),
    timedMs = data.list("timed_ms").map { it.jsonPrimitive.double },
    baselineMib = data.number("baseline_mib"),
    peakMib = data.number("peak_mib"),
    weightCache = data.value("weight_cache").boolean,
    remarks = data.list("remarks").map { it.jsonPrimitive.content },
)

private fun DecoderCheck.toJson() = buildJsonObject {
    put("library", library)
    put("file", file)
    put("worst_levels", levels.worst)
    put("mean_levels", levels.mean)
    put("differing_share", levels.differingShare)
    number("score", score)
    number("score_of_expected", scoreOfExpected)
    number("reference", reference)
    put("tolerance", tolerance)
}

private fun decoderOf(data: JsonObject) = DecoderCheck(
    data.text("library"), data.text("file"),
    Levels(data.value("worst_levels").int, data.value("mean_levels").double, data.value("differing_share").double),
    data.number("score"), data.number("score_of_expected"), data.number("reference"), data.value("tolerance").double,
)

private fun JsonObjectBuilder.number(name: String, value: Double?) {
    if (value != null) put(name, value)
}
