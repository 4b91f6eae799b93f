package org.lariqa.demo

import android.app.Activity
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.widget.ListView
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.DeskState
import org.lariqa.core.Manifest
import org.lariqa.core.RuntimeChoice
import org.lariqa.core.Text
import org.robolectric.Shadows.shadowOf

/** The real activity, the export out of the app's own assets, the real ONNX Runtime: from a picked photo to its score. */
class MainActivityTest : AppTest() {
    private val names = listOf("original", "blurred", "noisy", "recompressed", "dark")
    private val references by lazy {
        Manifest.parse(java.io.File(exports, "tiny/lariqa.json").readText(), "lariqa.json").artifact("onnx").references
    }

    private fun picked(vararg names: String): Intent {
        val uris = names.map { Uri.fromFile(photo(it)) }
        val clip = ClipData.newRawUri(null, uris.first())
        uris.drop(1).forEach { clip.addItem(ClipData.Item(it)) }
        return Intent().apply { clipData = clip }
    }

    @Test
    fun `a picked photo gets the score that PyTorch gives`() {
        val activity = open<MainActivity>().get()
        untilReady()
        activity.requireViewById<android.view.View>(R.id.choose).performClick()
        val asked = shadowOf(activity).nextStartedActivityForResult
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, picked(*names.toTypedArray()))
        untilReady()
        assertTrue(names.map { references.getValue(it) }.run { max() - min() } > 0.05)
        for (result in desk.snapshot.results) {
            val reference = references.getValue(result.name.removeSuffix(".png"))
            assertEquals(reference, result.score!!.toDouble(), 1e-4, result.name)
        }
        val best = names.maxBy { references.getValue(it) }
        assertTrue(activity.isShown(R.id.keep))
        assertTrue(activity.words(R.id.keep_name).startsWith("$best.png, "), activity.words(R.id.keep_name))
        val rows = activity.requireViewById<ListView>(R.id.photos).adapter
        assertEquals(5 + 1, rows.count) // and the header
        assertIs<DeskState.Ready>(desk.snapshot.state)
        assertTrue("gave the golden score within" in activity.words(R.id.state))
    }
}
