package org.lariqa.demo

import android.app.Activity
import android.os.Looper
import android.view.View
import android.widget.TextView
import java.io.File
import kotlin.test.fail
import org.json.JSONObject
import org.junit.After
import org.junit.runner.RunWith
import org.lariqa.LarIqa
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.scoring.ScoringState
import org.lariqa.core.scoring.ScoringViewModel
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** What the app's tests share: the real application, its view model, and patience with its threads. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w411dp-h914dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
abstract class AppTest {
    protected val app: LarIqaApp get() = RuntimeEnvironment.getApplication() as LarIqaApp
    protected val viewModel: ScoringViewModel get() = app.viewModel
    protected val exports = folder("lariqa.exports")
    protected val golden = folder("lariqa.golden")

    @After
    fun closeViewModel() = viewModel.close()

    protected fun folder(property: String) = File(requireNotNull(System.getProperty(property)) { "no -D$property" })

    /** The app with a model for photos of any size in the place of the one that it carries. */
    protected fun carryViews() {
        app.loader = LarIqa.loader(app, "views") { ExportFolder.open(File(exports, "views")) }
    }

    /** Files of photos of many sizes, and their scores in PyTorch. */
    protected val mixed: Map<File, Double> by lazy {
        val scores = JSONObject(File(exports, "mixed/scores.json").readText())
        scores.keys().asSequence().associate { File(exports, "mixed/$it") to scores.getDouble(it) }
    }

    protected fun photo(name: String) = File(exports, "photos/$name.png")

    protected inline fun <reified T : Activity> open(): ActivityController<T> = Robolectric.buildActivity(T::class.java).setup()

    /** Let the app's threads and its main thread work until a condition holds. */
    protected fun until(what: String, isSo: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE_S * 1_000_000_000L
        while (!isSo()) {
            if (System.nanoTime() > end) fail("$what did not come in $PATIENCE_S s; state: ${viewModel.uiState}")
            shadowOf(Looper.getMainLooper()).idle()
            Thread.sleep(5)
        }
        shadowOf(Looper.getMainLooper()).idle()
    }

    protected fun untilReady() = until("Ready") {
        (viewModel.uiState.state as? ScoringState.Failed)?.let { fail("failed: ${it.sentence}") }
        viewModel.uiState.state is ScoringState.Ready && viewModel.uiState.results.none { it.waits }
    }

    protected fun Activity.words(id: Int): String = requireViewById<TextView>(id).text.toString()

    protected fun Activity.isShown(id: Int): Boolean = requireViewById<View>(id).visibility == View.VISIBLE

    private companion object {
        const val PATIENCE_S = 30
    }
}
