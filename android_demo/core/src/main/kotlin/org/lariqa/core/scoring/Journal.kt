package org.lariqa.core.scoring

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonObjectBuilder
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.float
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.size
import org.lariqa.core.manifest.text
import org.lariqa.core.manifest.value

/** The photos and their scores in a file, written after each photo: an app that is killed loses nothing. */
class Journal(private val file: File) {
    /** What was written last: the checkpoint that the scores belong to, and the photos. One that was still waiting is marked. */
    fun read(): Contents {
        val text = try {
            file.readText()
        } catch (_: IOException) {
            return Contents("", emptyList()) // no journal yet
        }
        return try {
            val data = Json.parseToJsonElement(text).jsonObject
            val interrupted = Text.INTERRUPTED.of()
            val results = data.list("photos").map { result(it.jsonObject) }
                .map { if (it.score == null && it.problem == null) it.copy(problem = interrupted) else it }
            Contents(data.text("checkpoint_sha256"), results)
        } catch (_: IllegalArgumentException) {
            // From another version, or damaged: set aside for inspection, and a new one is begun.
            Files.move(file.toPath(), File("$file.unreadable").toPath(), StandardCopyOption.REPLACE_EXISTING)
            Contents("", emptyList())
        }
    }

    /** Written beside, then renamed: the older journal stays until the new one is complete. */
    fun write(contents: Contents) {
        val beside = File("$file.new")
        beside.parentFile?.mkdirs()
        beside.writeText(
            buildJsonObject {
                put("checkpoint_sha256", contents.checkpointSha256)
                putJsonArray("photos") {
                    for (result in contents.results) {
                        addJsonObject {
                            put("id", result.id)
                            put("name", result.name)
                            result.score?.let { put("score", it) }
                            result.size?.let { put("width_px", it.width) }
                            result.size?.let { put("height_px", it.height) }
                            put("fitted", result.wasResampled)
                            result.problem?.let { sentence("problem", "facts", it) }
                            result.caveat?.let { sentence("caveat", "caveat_facts", it) }
                        }
                    }
                }
            }.toString(),
        )
        Files.move(beside.toPath(), file.toPath(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE)
    }

    data class Contents(val checkpointSha256: String, val results: List<PhotoResult>)

    private fun result(data: JsonObject) = PhotoResult(
        id = data.text("id"),
        name = data.text("name"),
        score = (data["score"] as? JsonPrimitive)?.float,
        size = data.size("width_px", "height_px"),
        wasResampled = data.value("fitted").boolean,
        problem = data.sentence("problem", "facts"),
        caveat = data.sentence("caveat", "caveat_facts"),
    )

    private fun JsonObjectBuilder.sentence(name: String, facts: String, sentence: Sentence) {
        put(name, sentence.text.name)
        putJsonArray(facts) { sentence.facts.forEach { add(it) } }
    }

    private fun JsonObject.sentence(name: String, facts: String): Sentence? = this[name]?.let { text ->
        Sentence(Text.valueOf(text.jsonPrimitive.content), list(facts).map { it.jsonPrimitive.content })
    }
}
