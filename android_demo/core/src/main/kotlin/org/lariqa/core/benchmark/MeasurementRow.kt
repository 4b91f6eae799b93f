package org.lariqa.core.benchmark

import java.io.File
import java.io.FileOutputStream
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonArray
import kotlinx.serialization.json.addJsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject
import org.lariqa.core.audition.DecoderCheck
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.pixels.Lossy

/**
 * One measurement is one row: one model, in one process, on this phone. Fields, units and the protocol:
 * docs/schemas/measurement.md. Raw facts only; the report derives the rest. Figures that are not finite are left out.
 */
data class MeasurementRow(
    val id: String,
    val measuredAt: String,
    val mode: String, // burst | sustained
    val file: String,
    val machine: Machine,
    val setting: Setting,
    val artifact: Artifact? = null,
    val checkpointSha256: String = "",
    val trained: Boolean? = null,
    val latency: Latency? = null,
    val memory: Memory? = null,
    val conditions: Conditions = Conditions(),
    val scores: List<Score> = emptyList(),
    val flags: List<String> = emptyList(),
    val error: String? = null,
    /** Rows that were measured in turns have the same. */
    val report: String = "",
    /** What this phone's decoders make of the golden files. */
    val decoders: Map<Lossy, DecoderCheck> = emptyMap(),
) {
    data class Machine(val model: String, val system: String, val cores: Int, val memoryMib: Double)

    data class Setting(
        val runtime: String,
        val threads: Int?,
        val accelerator: String,
        val fallback: String = "",
        val sessionOptions: Map<String, String> = emptyMap(),
        val weightCache: Boolean = false,
    )

    data class Latency(
        val loadMs: Double,
        val firstMs: Double?,
        val runs: List<Run> = emptyList(),
        /** Of runs of which nothing else was timed, too. */
        val inferenceMs: List<Double> = runs.map { it.inferenceMs },
    )

    /** One counted run: where its time went, its processor time, and when it began. */
    data class Run(
        val decodeMs: Double,
        val preprocessMs: Double,
        val inferenceMs: Double,
        val postMs: Double,
        val cpuMs: Double,
        val startedS: Double,
    ) {
        val totalMs: Double get() = decodeMs + preprocessMs + inferenceMs + postMs
    }

    data class Memory(
        val baselineMib: Double,
        val loadedMib: Double?,
        val peakMib: Double,
        val inputMib: Double?,
        val curve: List<Pair<Double, Double>>,
    )

    data class Conditions(
        val temperatureC: List<Double> = emptyList(),
        val thermalStatus: String = "",
        val batteryPercent: List<Double> = emptyList(),
        val onCharger: Boolean? = null,
    )

    data class Score(val photo: String, val score: Double, val reference: Double? = null)

    /** As one line of JSON lines. */
    fun toLine(): String = toJson().toString()

    fun toJson(): JsonObject = buildJsonObject {
        put("schema", SCHEMA)
        put("id", id)
        put("report", report)
        put("measured_at", measuredAt)
        put("measured_by", MEASURED_BY)
        put("mode", mode)
        putJsonObject("subject") { subject() }
        putJsonObject("machine") {
            put("kind", "phone")
            put("model", machine.model)
            put("system", machine.system)
            put("cores", machine.cores)
            put("memory_mib", machine.memoryMib)
        }
        putJsonObject("setting") {
            put("runtime", setting.runtime)
            put("threads", setting.threads)
            put("accelerator", setting.accelerator)
            put("fallback", setting.fallback)
            put("weight_cache", setting.weightCache)
            putJsonObject("session_options") { setting.sessionOptions.forEach { (key, value) -> put(key, value) } }
        }
        put("latency", latency?.let { buildJsonObject { latency(it) } } ?: JsonNull)
        put("memory", memory?.let { buildJsonObject { memory(it) } } ?: JsonNull)
        putJsonObject("conditions") {
            numbers("temperature_c", conditions.temperatureC)
            put("thermal_status", conditions.thermalStatus)
            numbers("battery_percent", conditions.batteryPercent)
            put("on_charger", conditions.onCharger)
        }
        putJsonArray("scores") {
            for (photo in scores) {
                addJsonObject {
                    put("photo", photo.photo)
                    put("score", photo.score)
                    put("reference", photo.reference)
                }
            }
        }
        for ((kind, check) in decoders) put(kind.key, buildJsonObject { decoder(check) })
        putJsonArray("flags") { flags.forEach { add(it) } }
        put("error", error)
    }

    private fun JsonObjectBuilder.subject() {
        // The accelerator and its options are part of the name: one report may hold the same file on two of them.
        val how = listOf(setting.accelerator) + setting.sessionOptions.map { (key, value) -> "$key=$value" }
        put("name", "$file on ${how.joinToString()}")
        put("role", "artifact")
        put("file", file)
        put("checkpoint_sha256", checkpointSha256)
        put("trained", trained)
        val promised = artifact ?: return
        put("sha256", promised.sha256)
        put("bytes", promised.bytes)
        put("format", promised.format)
        put("precision", promised.precision)
        put("input", promised.input)
        put("synthetic_view", promised.syntheticView)
        put("memory", promised.memory)
        put("photo_width_px", promised.photoSize?.width)
        put("photo_height_px", promised.photoSize?.height)
    }

    private fun JsonObjectBuilder.latency(times: Latency) {
        put("load_ms", times.loadMs)
        put("load_was_cold", false) // an app cannot empty the page cache, so it cannot tell
        put("first_ms", times.firstMs)
        numbers("decode_ms", times.runs.map { it.decodeMs })
        numbers("preprocess_ms", times.runs.map { it.preprocessMs })
        numbers("inference_ms", times.inferenceMs)
        numbers("post_ms", times.runs.map { it.postMs })
        numbers("cpu_ms", times.runs.map { it.cpuMs })
        numbers("started_s", times.runs.map { it.startedS })
    }

    private fun JsonObjectBuilder.memory(used: Memory) {
        put("baseline_mib", used.baselineMib)
        put("loaded_mib", used.loadedMib)
        put("peak_mib", used.peakMib)
        put("input_mib", used.inputMib)
        putJsonArray("curve_s_mib") {
            for ((seconds, mib) in used.curve) {
                addJsonArray {
                    add(seconds)
                    add(mib)
                }
            }
        }
    }

    private fun JsonObjectBuilder.decoder(check: DecoderCheck) {
        put("library", check.library)
        put("file", check.file)
        put("worst_levels", check.levels.worst)
        put("mean_levels", check.levels.mean)
        put("differing_share", check.levels.differingShare)
        put("score", check.score)
        put("score_of_expected", check.scoreOfExpected)
        put("reference", check.reference)
    }

    private fun JsonObjectBuilder.numbers(name: String, values: List<Double>) = putJsonArray(name) {
        values.forEach { add(number(it)) }
    }

    private fun number(value: Double): JsonElement {
        require(value.isFinite()) { "$value in a row" }
        return JsonPrimitive(value)
    }

    companion object {
        const val SCHEMA = "lariqa-measurement/2"
        const val MEASURED_BY = "org.lariqa.demo 0.1.0"

        /** Append rows to a `.jsonl` file; they are on disk before this returns. */
        fun append(file: File, rows: List<MeasurementRow>) {
            file.parentFile?.mkdirs()
            FileOutputStream(file, true).use { stream ->
                rows.forEach { stream.write("${it.toLine()}\n".toByteArray()) }
                stream.fd.sync()
            }
        }
    }
}
