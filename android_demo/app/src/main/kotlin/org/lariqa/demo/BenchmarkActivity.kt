package org.lariqa.demo

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.os.Process
import android.view.View
import android.widget.ArrayAdapter
import android.widget.CheckBox
import android.widget.ProgressBar
import android.widget.Spinner
import android.widget.TextView
import java.io.File
import org.lariqa.BitmapPhoto
import org.lariqa.LarIqa
import org.lariqa.Runtimes
import org.lariqa.core.benchmark.BenchmarkEnvironment
import org.lariqa.core.benchmark.BenchmarkRequest
import org.lariqa.core.benchmark.BenchmarkViewModel
import org.lariqa.core.benchmark.BenchmarkViewModel.State
import org.lariqa.core.benchmark.MeasurementRow
import org.lariqa.core.benchmark.Statistics
import org.lariqa.core.runtimes.RuntimeChoice

/**
 * Measures in a process of its own, which ends with the screen, so that every start is a fresh one. Started from the
 * menu, or by `adb shell am start -n org.lariqa.demo/.BenchmarkActivity --es out ...`: docs/measurement.md.
 */
class BenchmarkActivity : Activity() {
    private val ownFolder by lazy { File(getExternalFilesDir(null) ?: filesDir, "benchmark") }
    private lateinit var viewModel: BenchmarkViewModel
    private lateinit var observation: AutoCloseable

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.benchmark)
        viewModel = BenchmarkViewModel(
            environment = BenchmarkEnvironment(
                Runtimes::start, Runtimes(this)::open, { BitmapPhoto.open(it) }, LiveDevice(this), Runtimes.threads, LarIqa.DECODER,
            ),
            bundled = { (application as LarIqaApp).bundled().open { _, _ -> } },
            ownFolder = ownFolder,
        )
        requireViewById<TextView>(R.id.hint).text = getString(R.string.benchmark_hint, RUNS)
        requireViewById<Spinner>(R.id.choice).adapter =
            ArrayAdapter(this, android.R.layout.simple_spinner_dropdown_item, RuntimeChoice.entries)
        requireViewById<View>(R.id.start).setOnClickListener { startFromScreen() }
        requireViewById<View>(R.id.stop).setOnClickListener { viewModel.cancel() }
        requireViewById<View>(R.id.share).setOnClickListener { share() }
        observation = viewModel.observe { runOnUiThread { if (!isDestroyed) show(viewModel.state) } }
        if (savedInstanceState == null) startFromShell(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        startFromShell(intent)
    }

    override fun onDestroy() {
        viewModel.cancel()
        observation.close()
        super.onDestroy()
        if (isFinishing && isOwnProcess()) Process.killProcess(Process.myPid())
    }

    /** An intent with `out` is a request by adb. */
    private fun startFromShell(intent: Intent) {
        if (!intent.hasExtra("out")) return
        val text = listOf("dir", "model", "out", "accelerator", "session_options").associateWith { intent.getStringExtra(it) }
        val whole = listOf("runs", "sustained_s").associateWith { if (intent.hasExtra(it)) intent.getIntExtra(it, -1) else null }
        viewModel.start(text, whole)
    }

    private fun startFromScreen() {
        val choice = RuntimeChoice.entries[requireViewById<Spinner>(R.id.choice).selectedItemPosition]
        val sustained = requireViewById<CheckBox>(R.id.sustained).isChecked
        viewModel.start(
            mapOf("dir" to BenchmarkRequest.BUNDLED, "format" to choice.format, "accelerator" to choice.key,
                "session_options" to choice.sessionOptions.map { (key, value) -> "$key=$value" }.joinToString(",").ifEmpty { null },
            ),
            mapOf("runs" to RUNS, "sustained_s" to if (sustained) FIVE_MINUTES_S else 0),
        )
    }

    private fun show(state: State) {
        val busy = state is State.Measuring
        requireViewById<View>(R.id.start).isEnabled = !busy
        requireViewById<View>(R.id.stop).visible(busy)
        requireViewById<TextView>(R.id.state).apply {
            text = state.sentence?.let { resources.say(it) }.orEmpty()
            visible(text.isNotEmpty())
        }
        requireViewById<ProgressBar>(R.id.progress).apply {
            visible(busy)
            if (state is State.Measuring) progress = (state.done.toDouble() / state.of * max).toInt().coerceAtMost(max)
        }
        val rows = (state as? State.Measured)?.rows.orEmpty()
        requireViewById<View>(R.id.share).visible(rows.isNotEmpty())
        requireViewById<TextView>(R.id.figures).apply {
            text = rows.joinToString("\n\n") { figures(it) }
            visible(rows.isNotEmpty())
        }
    }

    private fun figures(row: MeasurementRow): String {
        val latency = row.latency
        val memory = row.memory
        if (latency == null || memory == null) return row.error ?: row.file
        val total = Statistics.of(latency.runs.map { it.totalMs })
        fun whole(value: Double?) = "%.0f".format(value ?: Double.NaN)
        return listOf(
            getString(
                R.string.benchmark_figures, "${row.setting.runtime}, ${row.setting.accelerator}, ${row.mode}",
                whole(latency.loadMs), whole(latency.firstMs), whole(total.p50), whole(total.p90), whole(total.max),
                whole(memory.peakMib), whole(memory.peakMib - memory.baselineMib), row.conditions.thermalStatus,
            ),
        ).plus(row.flags).joinToString("\n")
    }

    private fun share() {
        val rows = (viewModel.state as? State.Measured)?.rows ?: return
        val text = rows.joinToString("\n") { it.toLine() }
        startActivity(Intent.createChooser(Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text), null))
    }

    private fun isOwnProcess() = android.app.Application.getProcessName().endsWith(":benchmark")

    private companion object {
        const val RUNS = 30
        const val FIVE_MINUTES_S = 300
    }
}
