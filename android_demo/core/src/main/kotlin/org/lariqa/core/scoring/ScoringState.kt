package org.lariqa.core.scoring

import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.figure
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.SelfTest

/** What the app is doing; each state has a sentence. */
sealed interface ScoringState {
    val sentence: Sentence

    data object NotLoaded : ScoringState {
        override val sentence = Text.NOT_LOADED.of()
    }

    /** The model's files are being copied, checked and opened; [fraction] of the step, null where it is unknown. */
    data class Preparing(val step: Sentence, val fraction: Double?) : ScoringState {
        override val sentence get() = Text.PREPARING.of(step)
    }

    /** The first run, which is slower than all later ones, and the golden self-test in one. */
    data object WarmingUp : ScoringState {
        override val sentence = Text.WARMING_UP.of()
    }

    data class Ready(val choice: RuntimeChoice, val runtime: String, val selfTest: SelfTest) : ScoringState {
        override val sentence
            get() = Text.READY.of(runtime, choice.accelerator, figure(Math.abs(selfTest.difference)), figure(selfTest.tolerance))
    }

    data class Scoring(val name: String, val number: Int, val of: Int) : ScoringState {
        override val sentence get() = Text.SCORING.of(name, number, of)
    }

    /** No model can be used; the sentence says why. */
    data class Failed(override val sentence: Sentence) : ScoringState

    /** Whether there is work that can be cancelled. */
    val isBusy: Boolean get() = this is Preparing || this is WarmingUp || this is Scoring
}
