package org.lariqa.core.scoring

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.float
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.manifest.list
import org.lariqa.core.manifest.text

/** Ranking, groups and sentences against tests/golden/burst.json, which both phones' tests read. */
class BurstTest {
    private val golden = Json.parseToJsonElement(File(Pack.golden, "burst.json").readText()).jsonObject

    private fun JsonObject.open(key: String): Double? = getValue(key).let { if (it is JsonNull) null else it.jsonPrimitive.double }

    @Test
    fun `margins are those of the golden file`() {
        val rows = golden.list("margins").map { it.jsonObject }
        assertTrue(rows.size >= 7)
        for (row in rows) {
            assertEquals(row.open("margin"), marginOf(row.open("worst"), row.open("sd"), row.open("audition_worst")), "$row")
        }
    }

    @Test
    fun `order, groups and sentence are those of the golden file`() {
        val rows = golden.list("bursts").map { it.jsonObject }
        assertTrue(rows.size >= 9)
        for (row in rows) {
            val photos = row.list("photos").map { it.jsonObject }
                .map { PhotoResult(it.text("photo"), it.text("photo"), score = it.getValue("score").jsonPrimitive.float) }
            val burst = Burst(photos, row.open("margin"))
            assertEquals(row.list("order").map { it.jsonPrimitive.content }, burst.order.map { it.id }, "$row")
            val groups = row.list("groups").map { group -> group.jsonArray.map { it.jsonPrimitive.content } }
            assertEquals(groups, burst.groups.map { group -> group.map { it.id } }, "$row")
            assertEquals(row.text("sentence"), "${burst.sentence}")
        }
    }

    @Test
    fun `photos without a score come last and are in no group`() {
        val burst = Burst(listOf(PhotoResult("a", "a"), PhotoResult("b", "b", score = 0.1f), PhotoResult("c", "c", score = 0.3f)), 1e-4)
        assertEquals(listOf("c", "b", "a"), burst.order.map { it.id })
        assertEquals(listOf(listOf("c"), listOf("b")), burst.groups.map { group -> group.map { it.id } })
        assertEquals("c", burst.kept?.id)
    }
}
