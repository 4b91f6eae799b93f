package org.lariqa.core.audition

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.lariqa.core.manifest.part
import org.lariqa.core.runtimes.RuntimeChoice

/**
 * The table in a file, and beside it how often the app was ended while a unit was tried. What is damaged or of another
 * version counts as nothing: the audition is held again.
 */
class AuditionStore(private val file: File) {
    private val begun = File("$file.begun")

    /** Null: none for this app, system and export. */
    fun read(key: AuditionKey): AuditionTable? = json(file)?.let {
        try {
            tableOf(it).takeIf { table -> table.key == key }
        } catch (_: IllegalArgumentException) {
            null
        }
    }

    fun write(table: AuditionTable) = write(file, table.toJson())

    fun forget() {
        file.delete()
        begun.delete()
    }

    /** Whether the app was ended so often while it tried this unit that it is not tried again. The plain CPU always is. */
    fun died(key: AuditionKey, choice: RuntimeChoice): Boolean =
        choice != RuntimeChoice.ONNX_CPU && (ends(key)[choice] ?: 0) >= MOST_ENDS

    /** Written before a unit is tried, so that an app that it ends finds it at its next start. */
    fun begin(key: AuditionKey, choice: RuntimeChoice) = count(key, choice, +1)

    fun end(key: AuditionKey, choice: RuntimeChoice) = count(key, choice, -1)

    private fun count(key: AuditionKey, choice: RuntimeChoice, change: Int) {
        val ends = ends(key)
        val now = ends + (choice to (ends[choice] ?: 0) + change)
        try {
            write(begun, beginsOf(key, now.filterValues { it > 0 }))
        } catch (_: IOException) {
            // Without it a crash is not recognised; nothing else is lost.
        }
    }

    private fun ends(key: AuditionKey): Map<RuntimeChoice, Int> = json(begun)?.let { data ->
        try {
            if (keyOf(data.part("key")) != key) return@let null
            data.part("ends").entries.associate { (name, count) -> RuntimeChoice.valueOf(name) to count.jsonPrimitive.int }
        } catch (_: IllegalArgumentException) {
            null
        }
    }.orEmpty()

    private fun json(file: File): JsonObject? = try {
        Json.parseToJsonElement(file.readText()).jsonObject
    } catch (_: IOException) {
        null
    } catch (_: IllegalArgumentException) {
        null
    }

    /** Written beside, then renamed. */
    private fun write(file: File, data: JsonObject) {
        file.absoluteFile.parentFile?.mkdirs()
        val beside = File("$file.new")
        beside.writeText(data.toString())
        Files.move(beside.toPath(), file.toPath(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE)
    }

    private companion object {
        const val MOST_ENDS = 2
    }
}
