package org.lariqa.core

/** What the app is doing; each state is a sentence. */
sealed interface DeskState {
    val sentence: Sentence

    data object NotLoaded : DeskState {
        override val sentence = Text.NOT_LOADED.of()
    }

    /** The model's files are copied, checked and opened; [fraction] of the step, null where nobody knows. */
    data class Preparing(val step: Sentence, val fraction: Double?) : DeskState {
        override val sentence get() = Text.PREPARING.of(step)
    }

    /** The first run, which is slower than all later ones, and the golden self-test in one. */
    data object WarmingUp : DeskState {
        override val sentence = Text.WARMING_UP.of()
    }

    data class Ready(val choice: RuntimeChoice, val runtime: String, val golden: GoldenResult) : DeskState {
        override val sentence
            get() = Text.READY.of(runtime, choice.accelerator, figure(Math.abs(golden.difference)), figure(golden.tolerance))
    }

    data class Scoring(val name: String, val number: Int, val of: Int) : DeskState {
        override val sentence get() = Text.SCORING.of(name, number, of)
    }

    /** No model can be used, and this is why. */
    data class Failed(override val sentence: Sentence) : DeskState

    /** Whether work is going on that can be cancelled. */
    val isBusy: Boolean get() = this is Preparing || this is WarmingUp || this is Scoring
}

/** Everything that a screen shows; a screen holds nothing else. */
data class Snapshot(
    val state: DeskState = DeskState.NotLoaded,
    val choice: RuntimeChoice = RuntimeChoice.ONNX_CPU,
    val fit: Boolean = false,
    val results: List<PhotoResult> = emptyList(),
    val manifest: Manifest? = null,
    val takes: Size? = null,
    /** What is wrong although work goes on. */
    val warning: Sentence? = null,
)

/** A difference or a limit, as people read it: `1.2e-06`. */
fun figure(value: Double): String = "%.1e".format(java.util.Locale.ROOT, value)
