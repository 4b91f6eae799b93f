package org.lariqa.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Text
import org.lariqa.core.scoring.PhotoResult
import org.lariqa.core.scoring.ScoringState
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Draws the main screens with Android's own graphics into app/target/screens, for people to look at. */
class ScreensTest : AppTest() {
    private fun draw(activity: Activity, name: String) {
        shadowOf(android.os.Looper.getMainLooper()).idle()
        val window = activity.window.decorView
        val picture = Bitmap.createBitmap(window.width, window.height, Bitmap.Config.ARGB_8888)
        window.draw(Canvas(picture))
        val colours = HashSet<Int>()
        for (y in 0 until picture.height step 7) for (x in 0 until picture.width step 7) colours += picture.getPixel(x, y)
        assertTrue(colours.size > 20, "$name shows something")
        val file = File(System.getProperty("lariqa.screens"), "$name.png").apply { parentFile!!.mkdirs() }
        file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private fun scored(): MainActivity {
        val activity = open<MainActivity>().get()
        untilReady()
        viewModel.add(listOf("original", "blurred", "noisy", "recompressed", "dark").map {
            PhotoResult(Uri.fromFile(photo(it)).toString(), "IMG_2026_$it.png")
        })
        untilReady()
        settle()
        return activity
    }

    /** Pictures come from a thread of their own. */
    private fun settle() = repeat(40) {
        shadowOf(android.os.Looper.getMainLooper()).idle()
        Thread.sleep(20)
    }

    @Test
    fun `light, with the best of five`() = draw(scored(), "main_light")

    @Test
    @Config(qualifiers = "+night")
    fun `dark, with the best of five`() = draw(scored(), "main_dark")

    @Test
    @Config(qualifiers = "de-rDE-w411dp-h914dp-xhdpi", fontScale = 1.5f)
    fun `German, in letters half as large again`() = draw(scored(), "main_german_large")

    @Test
    fun `nothing chosen yet`() {
        val activity = open<MainActivity>().get()
        untilReady()
        draw(activity, "main_empty")
    }

    @Test
    fun `what the score means`() {
        scored()
        val best = viewModel.uiState.burst.kept!!
        val activity = Robolectric.buildActivity(PhotoActivity::class.java, PhotoActivity.intent(app, best.id)).setup().get()
        settle()
        draw(activity, "photo_light")
        assertTrue(activity.words(R.id.meaning).startsWith("NOT TRAINED"))
    }

    @Test
    fun `photos of many sizes, and the frame on one of them`() {
        carryViews()
        val activity = open<MainActivity>().get()
        untilReady()
        viewModel.add(mixed.keys.map { PhotoResult(Uri.fromFile(it).toString(), it.name) })
        untilReady()
        settle()
        draw(activity, "main_any_size")
        val portrait = viewModel.uiState.results.first { "480x640" in it.name }
        val shown = Robolectric.buildActivity(PhotoActivity::class.java, PhotoActivity.intent(app, portrait.id)).setup().get()
        settle()
        draw(shown, "photo_any_size")
    }

    @Test
    fun `the units of this machine, each with its verdict`() {
        carryViews()
        open<MainActivity>()
        untilReady()
        val activity = open<AuditionActivity>().get()
        settle()
        draw(activity, "audition_light")
    }

    @Test
    fun `a tampered model, and a photo that does not fit`() {
        val export = app.bundled().open { _, _ -> }
        val file = File(app.noBackupFilesDir, "lariqa/lariqa/${export.manifest.artifact("onnx").file}")
        file.appendText("x")
        val activity = open<MainActivity>().get()
        until("Failed") { activity.isShown(R.id.again) }
        draw(activity, "main_failed")
        activity.requireViewById<View>(R.id.again).performClick() // which copies the export out of the app again
        until("Ready") { viewModel.uiState.state is ScoringState.Ready }
        viewModel.add(listOf(PhotoResult(Uri.fromFile(File(golden, "small_481x271.png")).toString(), "small_481x271.png")))
        untilReady()
        assertEquals(Text.DOES_NOT_FIT, viewModel.uiState.results.single().problem?.text)
        draw(activity, "main_does_not_fit")
    }

    @Test
    fun `the benchmark, measured`() {
        val out = File(app.getExternalFilesDir(null), "benchmark/rows.jsonl")
        val intent = Intent(app, BenchmarkActivity::class.java).putExtra("dir", "bundled").putExtra("out", out.path).putExtra("runs", 30)
        val activity = Robolectric.buildActivity(BenchmarkActivity::class.java, intent).setup().get()
        until("the figures") { activity.isShown(R.id.figures) }
        draw(activity, "benchmark_light")
    }

    @Test
    fun `everything that can be touched has a name and is large enough`() {
        val activity = scored()
        val touched = mutableListOf<View>()
        fun walk(view: View) {
            if (view.visibility != View.VISIBLE) return
            if (view.isClickable && view.width > 0 && view !is android.widget.ListView) touched += view
            if (view is ViewGroup) for (i in 0 until view.childCount) walk(view.getChildAt(i))
        }
        walk(activity.requireViewById(R.id.photos))
        assertTrue(touched.size >= 4)
        val least = 48 * activity.resources.displayMetrics.density
        for (view in touched) {
            val info = view.createAccessibilityNodeInfo()
            val name = listOfNotNull(info.text, info.contentDescription, info.labeledBy?.text)
            assertTrue(name.any { it.isNotEmpty() } || view is android.widget.Spinner, "$view has no name")
            assertTrue(view.height >= least - 1, "$view is ${view.height} px high, $least are needed")
        }
    }
}
