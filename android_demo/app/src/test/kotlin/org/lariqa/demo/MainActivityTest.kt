package org.lariqa.demo

import android.app.Activity
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.view.View
import android.widget.ListView
import android.widget.Spinner
import java.io.File
import java.util.concurrent.CountDownLatch
import kotlin.test.assertEquals
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Text
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.scoring.Journal
import org.lariqa.core.scoring.ModelLoader
import org.lariqa.core.scoring.PhotoResult
import org.lariqa.core.scoring.ScoringState
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf

/** The real activity, the export out of the app's own assets, the real ONNX Runtime: from a picked photo to its score. */
class MainActivityTest : AppTest() {
    private val names = listOf("original", "blurred", "noisy", "recompressed", "dark")
    private val references by lazy {
        Manifest.parse(File(exports, "tiny/lariqa.json").readText(), "lariqa.json").artifact("onnx").references
            .mapValues { it.value.score }
    }

    private fun uri(name: String) = Uri.fromFile(photo(name))

    private fun picked(names: List<String>): Intent {
        val clip = ClipData.newRawUri(null, uri(names.first()))
        names.drop(1).forEach { clip.addItem(ClipData.Item(uri(it))) }
        return Intent().apply { clipData = clip }
    }

    @Test
    fun `a picked photo gets the score that PyTorch gives, and the best is marked`() {
        val activity = open<MainActivity>().get()
        untilReady()
        activity.requireViewById<View>(R.id.choose).performClick()
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals("android.provider.action.PICK_IMAGES", asked.intent.action)
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, picked(names))
        untilReady()
        assertTrue(names.map { references.getValue(it) }.run { max() - min() } > 0.05)
        for (result in viewModel.uiState.results) {
            val reference = references.getValue(result.name.removeSuffix(".png"))
            assertEquals(reference, assertNotNull(result.score).toDouble(), 1e-4, result.name)
        }
        val best = names.maxBy { references.getValue(it) }
        assertTrue(activity.isShown(R.id.keep))
        assertTrue(activity.words(R.id.keep_name).startsWith("$best.png, "), activity.words(R.id.keep_name))
        assertEquals(names.size + 1, activity.requireViewById<ListView>(R.id.photos).adapter.count) // and the header
        assertTrue("scored the golden photo within" in activity.words(R.id.state))
    }

    @Test
    fun `photos of any size get their scores from one model, and nothing is there to fit`() {
        carryViews()
        val activity = open<MainActivity>().get()
        untilReady()
        assertTrue(!activity.isShown(R.id.fit))
        viewModel.add(mixed.keys.map { PhotoResult(Uri.fromFile(it).toString(), it.name) })
        untilReady()
        val scores = viewModel.uiState.results.associate { it.name to assertNotNull(it.score, "${it.problem}").toDouble() }
        for ((file, reference) in mixed) assertEquals(reference, scores.getValue(file.name), 1e-5, file.name)
        assertTrue(activity.words(R.id.keep_name).startsWith("${mixed.maxBy { it.value }.key.name}, "))
    }

    @Test
    fun `a model for one size offers to fit`() {
        val known = CountDownLatch(1)
        val carried = app.loader
        app.loader = ModelLoader { choice, onProgress -> known.await().let { carried.load(choice, onProgress) } }
        val activity = open<MainActivity>().get()
        assertTrue(!activity.isShown(R.id.fit), "not before it is known")
        known.countDown()
        untilReady()
        assertTrue(activity.isShown(R.id.fit))
    }

    @Test
    fun `the frame on a photo of any size is where its own crop lies`() {
        carryViews()
        open<MainActivity>()
        untilReady()
        val file = File(exports, "mixed/original_640x480.png") // of which the crop is 128x128
        viewModel.add(listOf(PhotoResult(Uri.fromFile(file).toString(), file.name)))
        untilReady()
        val intent = PhotoActivity.intent(app, viewModel.uiState.results.single().id)
        val activity = Robolectric.buildActivity(PhotoActivity::class.java, intent).setup().get()
        val frame = assertNotNull(activity.requireViewById<MarkedPhotoView>(R.id.photo).marked)
        assertEquals(listOf(256 / 640f, 176 / 480f, 384 / 640f, 304 / 480f), frame.run { listOf(left, top, right, bottom) })
    }

    @Test
    fun `a photo shared from the gallery is scored, and a later one too`() {
        val share = Intent(Intent.ACTION_SEND).setType("image/png").putExtra(Intent.EXTRA_STREAM, uri("noisy"))
        val controller = Robolectric.buildActivity(MainActivity::class.java, share).setup()
        untilReady()
        controller.newIntent(picked(listOf("dark")).setAction(Intent.ACTION_SEND_MULTIPLE).setType("image/*"))
        untilReady()
        assertEquals(listOf("noisy.png", "dark.png"), viewModel.uiState.results.map { it.name })
        assertTrue(viewModel.uiState.results.all { it.score != null })
    }

    @Test
    fun `a phone that is turned keeps everything`() {
        val controller = open<MainActivity>()
        untilReady()
        viewModel.add(listOf(PhotoResult(uri("dark").toString(), "dark.png")))
        untilReady()
        val before = viewModel.uiState
        controller.recreate()
        untilReady()
        assertEquals(before, viewModel.uiState)
        assertEquals(2, controller.get().requireViewById<ListView>(R.id.photos).adapter.count)
    }

    @Test
    fun `photos of an app that was killed are there again, and scored`() {
        val results = listOf(PhotoResult(uri("dark").toString(), "dark.png"))
        Journal(File(app.filesDir, "photos.json")).write(Journal.Contents("", results))
        open<MainActivity>()
        untilReady()
        assertEquals(references.getValue("dark"), viewModel.uiState.results.single().score!!.toDouble(), 1e-4)
    }

    @Test
    fun `a photo that is gone or damaged says so in its row, the others are scored`() {
        val activity = open<MainActivity>().get()
        untilReady()
        val damaged = Uri.fromFile(File(exports, "decoding/truncated.jpg"))
        viewModel.add(listOf(uri("dark"), damaged, Uri.parse("file:///gone.jpg")).map { PhotoResult("$it", it.lastPathSegment!!) })
        untilReady()
        assertEquals(listOf(null, Text.DAMAGED_PHOTO, Text.PHOTO_GONE), viewModel.uiState.results.map { it.problem?.text })
        val list = activity.requireViewById<ListView>(R.id.photos)
        val said = (1..3).map { list.adapter.getView(it, null, list).contentDescription.toString() }
        assertTrue(said[0].startsWith("dark.png, 0."), said[0])
        assertTrue(said.drop(1).any { "damaged or truncated" in it } && said.drop(1).any { "nothing is there" in it }, "$said")
    }

    @Test
    fun `a runtime that this phone lacks is a state with a way back`() {
        val activity = open<MainActivity>().get()
        untilReady()
        activity.requireViewById<Spinner>(R.id.choice).setSelection(CHOICES.indexOf(RuntimeChoice.LITERT_GPU))
        until("Failed") { viewModel.uiState.state is ScoringState.Failed }
        val said = assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence
        assertEquals(Text.UNIT_REFUSED, said.text) // by the audition, with what it was told
        assertTrue("cannot use GPU on this device" in "$said", "$said")
        assertTrue(activity.isShown(R.id.again))
        activity.requireViewById<Spinner>(R.id.choice).setSelection(CHOICES.indexOf(RuntimeChoice.ONNX_CPU))
        until("Ready") { viewModel.uiState.state is ScoringState.Ready }
    }
}
