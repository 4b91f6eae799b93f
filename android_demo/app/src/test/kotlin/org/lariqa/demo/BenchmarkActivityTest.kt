package org.lariqa.demo

import android.content.Intent
import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.json.JSONObject
import org.junit.Test
import org.robolectric.Robolectric

/** Started as adb starts it. */
class BenchmarkActivityTest : AppTest() {
    private val out by lazy { File(app.getExternalFilesDir(null), "benchmark/rows.jsonl") }

    private fun start(vararg extras: Pair<String, Any>): BenchmarkActivity {
        val intent = Intent(app, BenchmarkActivity::class.java)
        for ((name, value) in extras) if (value is Int) intent.putExtra(name, value) else intent.putExtra(name, "$value")
        return Robolectric.buildActivity(BenchmarkActivity::class.java, intent).setup().get()
    }

    private fun done(): String {
        until("the end") { File("$out.done").exists() }
        return File("$out.done").readText().trim()
    }

    @Test
    fun `the command of docs-measurement writes a row and its end`() {
        val activity = start("dir" to "bundled", "out" to out, "runs" to 2, "sustained_s" to 0, "accelerator" to "cpu")
        assertEquals("ok", done())
        until("the figures") { activity.isShown(R.id.figures) }
        val row = JSONObject(out.readLines().single())
        assertEquals(2, row.getJSONObject("latency").getJSONArray("inference_ms").length())
        assertTrue(row.getJSONObject("memory").getDouble("peak_mib") >= 0)
        assertTrue(row.getJSONObject("setting").getString("runtime").startsWith("ONNX Runtime 1."))
        assertEquals(JSONObject.NULL, row.get("error"))
        assertTrue(activity.words(R.id.figures).isNotEmpty() && activity.isShown(R.id.share))
    }

    @Test
    fun `a pushed folder is measured with its photos`() {
        val folder = File(app.cacheDir, "pushed").also { File(exports, "tiny").copyRecursively(it, overwrite = true) }
        photo("noisy").copyTo(File(folder, "noisy.png"), overwrite = true)
        val model = folder.list()!!.first { it.endsWith(".onnx") }
        start("dir" to folder, "model" to model, "out" to out, "runs" to 1, "accelerator" to "cpu")
        assertEquals("ok", done())
        assertTrue("noisy.png" in out.readText())
    }

    @Test
    fun `a file for any size is measured with photos of many sizes`() {
        val folder = File(app.cacheDir, "pushed_views").also { File(exports, "views").copyRecursively(it, overwrite = true) }
        mixed.keys.forEach { it.copyTo(File(folder, it.name), overwrite = true) }
        val model = folder.list()!!.first { it.endsWith(".onnx") }
        start("dir" to folder, "model" to model, "out" to out, "runs" to mixed.size, "accelerator" to "cpu")
        assertEquals("ok", done())
        val row = JSONObject(out.readLines().single())
        assertEquals("views", row.getJSONObject("subject").getString("input"))
        val scores = row.getJSONArray("scores").let { all -> List(all.length()) { all.getJSONObject(it) } }
            .associate { it.getString("photo") to it.getDouble("score") }
        for ((file, reference) in mixed) assertEquals(reference, scores.getValue(file.name), 1e-5, file.name)
    }

    @Test
    fun `a request for what this phone lacks ends with its reason`() {
        start("dir" to "bundled", "out" to out, "accelerator" to "npu")
        assertTrue("accelerator cpu or xnnpack" in done(), done())
    }

    @Test
    fun `opened from the menu it waits for the button`() {
        val activity = start()
        assertTrue(!activity.isShown(R.id.stop) && !activity.isShown(R.id.figures))
        activity.requireViewById<android.view.View>(R.id.start).performClick()
        until("measuring") { activity.isShown(R.id.stop) || activity.isShown(R.id.figures) }
        activity.requireViewById<android.view.View>(R.id.stop).performClick()
        until("the end") { !activity.isShown(R.id.stop) }
    }
}
