package org.lariqa.demo

import android.net.Uri
import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.Test
import org.lariqa.LarIqa
import org.lariqa.core.Refusal
import org.lariqa.core.Text
import org.lariqa.core.runtimes.RuntimeChoice

/** The library as another app uses it: the README's lines, with the export out of that app's assets. */
class TwentyLinesTest : AppTest() {
    @Test
    fun `the lines of the README give the photo that PyTorch finds best, and its score`() {
        val (best, reference) = mixed.maxBy { it.value }
        assertTrue(mixed.values.max() - mixed.values.min() > 0.05)
        val said = runBlocking { bestOf(app, mixed.keys.map { Uri.fromFile(it) }) }
        assertEquals("${Uri.fromFile(best)} scores %.3f".format(reference), said)
    }

    @Test
    fun `a photo that is none is the sentence of its refusal`() {
        val said = runBlocking { bestOf(app, listOf(Uri.fromFile(File(exports, "decoding/text.jpg")))) }
        assertEquals(Text.NOT_A_PHOTO.english, said)
    }

    @Test
    fun `an app without an export, and a unit that the phone lacks, are refused`() {
        fun refusal(assets: String, unit: RuntimeChoice?) =
            assertFailsWith<Refusal> { runBlocking { LarIqa.open(app, assets, unit) } }.sentence.text
        assertEquals(Text.NO_MODEL, refusal("nothing", null))
        assertEquals(Text.NO_ACCELERATOR, refusal("exported", RuntimeChoice.LITERT_NPU))
    }

    @Test
    fun `several photos asked for at once all get their own score`() {
        val scores = runBlocking {
            LarIqa.open(app, "exported").use { iqa ->
                mixed.keys.map { file -> file to async { iqa.score(Uri.fromFile(file)) } }.associate { (file, it) -> file to it.await().score }
            }
        }
        for ((file, reference) in mixed) assertEquals(reference, scores.getValue(file).toDouble(), 1e-5, file.name)
    }

    @Test
    fun `a caller that gives up is let go, and the next one is served`() {
        runBlocking {
            LarIqa.open(app, "exported").use { iqa ->
                val file = mixed.keys.first()
                val given = launch { repeat(1000) { iqa.score(Uri.fromFile(file)) } }
                delay(50)
                given.cancelAndJoin()
                assertTrue(given.isCancelled)
                assertEquals(mixed.getValue(file), iqa.score(Uri.fromFile(file)).score.toDouble(), 1e-5)
            }
        }
    }

    @Test
    fun `an opening that nobody waits for any more tries no further unit`() {
        val tried = mutableListOf<String>()
        runBlocking {
            lateinit var opening: kotlinx.coroutines.Job
            opening = launch {
                LarIqa.open(app, "exported") { step, _ ->
                    if (step.text == Text.STEP_AUDITION) tried += step.facts.first()
                    if (tried.distinct().size == 2) opening.cancel()
                }
            }
            opening.join()
            assertTrue(opening.isCancelled)
        }
        assertEquals(2, tried.distinct().size)
    }

    @Test
    fun `blocking calls give the same, for Java and for threads that may wait`() {
        LarIqa.openBlocking(app, "exported", RuntimeChoice.ONNX_CPU).use { iqa ->
            for ((file, reference) in mixed) assertEquals(reference, iqa.scoreBlocking(Uri.fromFile(file)).score.toDouble(), 1e-5)
        }
    }
}
