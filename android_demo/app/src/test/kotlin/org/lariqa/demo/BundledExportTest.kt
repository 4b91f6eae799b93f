package org.lariqa.demo

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.Runtimes
import org.lariqa.core.Refusal
import org.lariqa.core.Text
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.scoring.ScoringState

/** The export in the app's assets: installed once, whole or not at all, checked every time. */
class BundledExportTest : AppTest() {
    private val folder by lazy { File(app.noBackupFilesDir, "lariqa/lariqa") }

    @Test
    fun `it is copied once, with progress, and opened from then on`() {
        val steps = mutableListOf<Text>()
        app.bundled().open { step, _ -> steps += step.text }
        assertTrue(Text.STEP_COPYING in steps)
        steps.clear()
        val export = app.bundled().open { step, _ -> steps += step.text }
        assertEquals(emptyList(), steps)
        for (format in listOf("onnx", "tflite")) export.verified(export.manifest.artifact(format)) {}
    }

    @Test
    fun `an interrupted copy leaves no half export, and the next start makes it whole`() {
        var calls = 0
        assertFailsWith<IllegalStateException> { app.bundled().open { _, _ -> if (++calls == 2) error("killed") } }
        assertTrue(!File(folder, "lariqa.json").exists())
        val export = app.bundled().open { _, _ -> }
        export.verified(export.manifest.artifact("onnx")) {}
    }

    @Test
    fun `a file that was tampered with on the phone is a state, and no score`() {
        val export = app.bundled().open { _, _ -> }
        File(folder, export.manifest.artifact("onnx").file).appendText("x")
        open<MainActivity>()
        until("Failed") { viewModel.uiState.state is ScoringState.Failed }
        assertEquals(Text.FILE_DIFFERS, assertIs<ScoringState.Failed>(viewModel.uiState.state).sentence.text)
    }

    @Test
    fun `a runtime whose library is not for this processor is a sentence`() {
        // LiteRT has natives for phones only, so on this machine its scorer gets as far as its library.
        val export = app.bundled().open { _, _ -> }
        val artifact = export.manifest.artifact("tflite")
        for (choice in RuntimeChoice.entries.filter { it.format == "tflite" }) {
            val refusal = assertFailsWith<Refusal> { Runtimes(app).open(export.verified(artifact) {}, artifact, choice) }
            assertEquals(Text.NO_ACCELERATOR, refusal.sentence.text)
        }
    }
}
