package org.lariqa.demo

import android.content.res.Configuration
import java.util.Locale
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals
import org.junit.Test
import org.lariqa.core.Text
import org.lariqa.core.scoring.ScoringState

/** The app's sentences are those of the core, in every language. */
class SentencesTest : AppTest() {
    private fun resources(language: String) =
        app.createConfigurationContext(Configuration().apply { setLocale(Locale.forLanguageTag(language)) }).resources

    @Test
    fun `the English resources are the core's words`() {
        val english = resources("en")
        for (text in Text.entries) assertEquals(text.english, english.getString(stringOf(text)), text.name)
    }

    @Test
    fun `the German sentences are German and hold the same facts`() {
        val german = resources("de")
        val fact = Regex("""%\d\${'$'}s""")
        for (text in Text.entries) {
            val words = german.getString(stringOf(text))
            assertNotEquals(text.english, words)
            val facts = listOf(text.english, words).map { said -> fact.findAll(said).map { it.value }.toSortedSet() }
            assertEquals(facts[0], facts[1], text.name)
        }
    }

    @Test
    fun `a step within a state is in the same language`() {
        val state = ScoringState.Preparing(Text.STEP_CHECKING.of("x.onnx"), null)
        assertEquals("Vorbereitung: x.onnx wird geprüft", resources("de").say(state))
    }
}
