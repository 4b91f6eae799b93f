package org.lariqa.demo

import android.content.Intent
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.json.JSONObject
import org.junit.Test
import org.lariqa.LarIqa
import org.lariqa.core.Text
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.scoring.PhotoResult
import org.robolectric.Shadows.shadowOf

/** The table of this machine's units, held by the real app: ONNX Runtime's CPU is right, LiteRT has no library here. */
class AuditionActivityTest : AppTest() {
    private fun rows(activity: AuditionActivity): List<String> =
        activity.requireViewById<ViewGroup>(R.id.units).let { list -> List(list.childCount) { (list.getChildAt(it) as TextView).text.toString() } }

    @Test
    fun `the screen shows every unit, admitted or with its reason, and the decoder`() {
        carryViews()
        open<MainActivity>()
        untilReady()
        val activity = open<AuditionActivity>().get()
        until("the table") { rows(activity).isNotEmpty() }
        val rows = rows(activity)
        assertEquals(RuntimeChoice.entries.size, rows.size)
        for ((choice, row) in RuntimeChoice.entries.zip(rows)) {
            val isHere = choice == RuntimeChoice.ONNX_CPU || choice == RuntimeChoice.ONNX_CPU_NO_KLEIDIAI
            assertTrue(row.startsWith(if (isHere) "$choice: admitted, " else "$choice: refused, "), row)
        }
        assertEquals(1, rows.count { "in use" in it })
        assertTrue("byte for byte" in activity.words(R.id.notes), activity.words(R.id.notes))
    }

    @Test
    fun `its rows can be shared, and say what a benchmark's rows say`() {
        carryViews()
        open<MainActivity>()
        untilReady()
        val activity = open<AuditionActivity>().get()
        activity.requireViewById<View>(R.id.share).performClick()
        val chooser = shadowOf(activity).nextStartedActivity
        @Suppress("DEPRECATION")
        val sent = assertNotNull(chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)).getStringExtra(Intent.EXTRA_TEXT)!!
        val rows = sent.lines().map { JSONObject(it) }
        assertEquals(RuntimeChoice.entries.size, rows.size)
        val cpu = rows.first()
        assertEquals("lariqa-measurement/2", cpu.getString("schema"))
        assertEquals(7, cpu.getJSONArray("scores").length())
        assertEquals(0.0, cpu.getJSONObject("decoder").getDouble("worst_levels"))
        assertTrue("an audition: a few runs, on generated pictures" in "${cpu.getJSONArray("flags")}")
        assertEquals("1", rows[1].getJSONObject("setting").getJSONObject("session_options").getString("mlas.disable_kleidiai"))
        assertTrue(rows.last().getString("error").isNotEmpty())
    }

    @Test
    fun `later starts try nothing, and a new audition can be asked for`() {
        open<MainActivity>()
        untilReady()
        val store = File(app.noBackupFilesDir, "lariqa/lariqa.audition.json")
        val written = store.readText()
        viewModel.load(null)
        until("Ready again") { viewModel.uiState.audition != null && viewModel.uiState.state.let { !it.isBusy } }
        assertEquals(written, store.readText())
        open<AuditionActivity>().get().requireViewById<View>(R.id.again).performClick()
        until("another table") { store.isFile && store.readText() != written }
        untilReady()
    }

    @Test
    fun `where the decoder agrees, a photo from a JPEG has no caveat, and PNGs never have one`() {
        carryViews()
        open<MainActivity>()
        untilReady()
        val files = listOf(File(exports, "decoding/turned_1.jpg"), File(exports, "mixed").listFiles()!!.first { it.extension == "png" })
        viewModel.add(files.map { PhotoResult(Uri.fromFile(it).toString(), it.name) })
        untilReady()
        for (result in viewModel.uiState.results) {
            assertNotNull(result.score)
            assertNull(result.caveat)
        }
        assertEquals(listOf(Lossy.JPEG, null), files.map { file -> LarIqa.photo(app, Uri.fromFile(file)).use { it.lossy } })
        assertEquals(listOf(Text.DECODER_SAME, Text.NO_HEIC), viewModel.uiState.decoders.map { it.text })
    }
}
