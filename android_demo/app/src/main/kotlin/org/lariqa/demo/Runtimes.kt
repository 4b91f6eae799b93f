package org.lariqa.demo

import java.io.File
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.reasonOf
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.OnnxRunner
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice

/** The one place that knows which class runs which choice. */
object Runtimes {
    /** As many threads as the phone has fast cores, about half of all; with more, the fast ones wait for the slow. */
    val threads: Int get() = (Runtime.getRuntime().availableProcessors() / 2).coerceIn(1, 4)

    fun open(file: File, artifact: Artifact, choice: RuntimeChoice): Runner = withLibrary(choice) {
        when (choice.format) {
            "onnx" -> OnnxRunner(file, artifact, choice, threads)
            else -> LiteRtRunner(file, artifact, choice, threads)
        }
    }

    /** Load the runtime's library and nothing else. */
    fun start(choice: RuntimeChoice) = withLibrary(choice) {
        if (choice.format == "onnx") OnnxRunner.start() else LiteRtRunner.start()
    }

    /** A library that was not packaged for this processor is a refusal, not a crash. */
    private fun <T> withLibrary(choice: RuntimeChoice, work: () -> T): T = try {
        work()
    } catch (error: LinkageError) {
        refuse(Text.NO_ACCELERATOR, choice.runtime, choice.accelerator, reasonOf(error), cause = error)
    }
}
