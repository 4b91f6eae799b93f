package org.lariqa.core.benchmark

import java.io.File
import java.util.concurrent.CancellationException
import java.util.concurrent.CopyOnWriteArraySet
import kotlin.concurrent.thread
import org.lariqa.core.Refusal
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.scoring.Job

/**
 * What the benchmark screen shows and does: one measurement at a time, its rows and its end written to files. Plain
 * Kotlin, not an AndroidX ViewModel: its activity has a process of its own and keeps it across configuration changes.
 */
class BenchmarkViewModel(
    private val environment: BenchmarkEnvironment,
    private val bundled: () -> ExportFolder,
    private val ownFolder: File,
) {
    sealed interface State {
        val sentence: Sentence?

        data object Idle : State {
            override val sentence = null
        }

        data class Measuring(val done: Int, val of: Int, val runtime: String) : State {
            override val sentence get() = Text.MEASURING.of(done, of, runtime)
        }

        data class Measured(val rows: List<MeasurementRow>) : State {
            override val sentence: Sentence
                get() {
                    val runs = rows.flatMap { it.latency?.runs.orEmpty() }
                    return Text.MEASURED.of(runs.size, if (runs.isEmpty()) "?" else half(runs))
                }

            private fun half(runs: List<MeasurementRow.Run>) =
                "%.0f".format(java.util.Locale.ROOT, Statistics.of(runs.map { it.totalMs }).p50)
        }

        data class Failed(override val sentence: Sentence) : State
    }

    @Volatile var state: State = State.Idle
        private set
    private val observers = CopyOnWriteArraySet<(State) -> Unit>()
    private var job: Job? = null

    fun observe(observer: (State) -> Unit): AutoCloseable {
        observers.add(observer)
        observer(state)
        return AutoCloseable { observers.remove(observer) }
    }

    /** Start what the extras ask for. The thread is returned for tests, which wait for it. */
    @Synchronized
    fun start(text: Map<String, String?>, whole: Map<String, Int?>): Thread? {
        if (state is State.Measuring) return null // the running measurement is not disturbed
        val request = try {
            BenchmarkRequest.read(text, whole, ownFolder)
        } catch (refusal: Refusal) {
            // Somebody may be waiting for this file; outside of the own folder nothing is written.
            change(State.Failed(refusal.sentence))
            text["out"]?.let { File(it) }?.takeIf { it.canonicalFile.startsWith(ownFolder.canonicalFile) }
                ?.let { finish(File("$it.done"), refusal.sentence.toString()) }
            return null
        }
        val mine = Job().also { job = it }
        change(State.Measuring(0, request.runs, request.accelerator))
        return thread(name = "benchmark") { measure(request, mine) }
    }

    fun cancel() {
        job?.cancel()
    }

    private fun measure(request: BenchmarkRequest, job: Job) {
        try {
            request.done.delete()
            val export = request.folder?.let { ExportFolder.open(it) } ?: bundled()
            val rows = Benchmark(environment, export, request).measure { done ->
                job.ensureActive()
                change(State.Measuring(done, maxOf(done, request.runs), request.accelerator))
            }
            MeasurementRow.append(request.out, rows)
            val problem = rows.firstNotNullOfOrNull { it.error }
            finish(request.done, problem ?: "ok")
            change(State.Measured(rows))
        } catch (refusal: Refusal) {
            finish(request.done, refusal.sentence.toString())
            change(State.Failed(refusal.sentence))
        } catch (_: CancellationException) {
            finish(request.done, "stopped")
            change(State.Idle)
        }
    }

    /** One line, written last. */
    private fun finish(done: File, line: String) {
        done.parentFile?.mkdirs()
        val beside = File("$done.new")
        beside.writeText(line.replace('\n', ' ') + "\n")
        check(beside.renameTo(done)) { "cannot rename $beside" }
    }

    private fun change(next: State) {
        state = next
        observers.forEach { it(next) }
    }
}
