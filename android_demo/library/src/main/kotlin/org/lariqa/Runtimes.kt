package org.lariqa

import android.content.Context
import java.io.File
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.reasonOf
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.OnnxRunner
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice
import org.tensorflow.lite.TensorFlowLite

/** The one place that knows which class runs which choice. */
class Runtimes(context: Context) {
    /** Packed weights lie where the system may take the room back. */
    private val cacheFolder = File(context.cacheDir, "lariqa")

    fun open(file: File, artifact: Artifact, choice: RuntimeChoice): Runner = withLibrary(choice) {
        when (choice.format) {
            "onnx" -> OnnxRunner(file, artifact, choice, threads)
            else -> openLiteRt(file, artifact, choice)
        }
    }

    /** CompiledModel; where it is missing the Interpreter stays for the plain CPU, and for nothing else. */
    private fun openLiteRt(file: File, artifact: Artifact, choice: RuntimeChoice): Runner = try {
        val options = CompiledOptions.of(artifact, choice, threads, cacheFolder)
        CompiledModelRunner(artifact, options) { LiteRtCompiled(file, artifact, it) }
    } catch (error: LinkageError) {
        if (choice != RuntimeChoice.LITERT_CPU) throw error
        InterpreterRunner(file, artifact, threads)
    }

    companion object {
        /** The version of gradle/libs.versions.toml: CompiledModel does not tell its own. */
        const val LITERT = "2.3.0"

        /** As many threads as the phone has fast cores, about half of all; with more, the fast ones wait for the slow. */
        val threads: Int get() = (Runtime.getRuntime().availableProcessors() / 2).coerceIn(1, 4)

        /** Load the runtime's library and nothing else. */
        fun start(choice: RuntimeChoice) = withLibrary(choice) {
            if (choice.format == "onnx") OnnxRunner.start() else TensorFlowLite.init()
        }

        /** A library that was not packaged for this processor is a refusal, not a crash. */
        private fun <T> withLibrary(choice: RuntimeChoice, work: () -> T): T = try {
            work()
        } catch (error: LinkageError) {
            refuse(Text.NO_ACCELERATOR, choice.runtime, choice.accelerator, reasonOf(error), cause = error)
        }
    }
}
