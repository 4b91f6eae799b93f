package org.lariqa.demo

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.lariqa.LarIqa
import org.lariqa.Runtimes
import org.lariqa.core.Text
import org.lariqa.core.audition.AuditionTable
import org.lariqa.core.audition.UnitResult
import org.lariqa.core.benchmark.auditionRows
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.scoring.UiState

/** The units of this phone: which were admitted, which refused and why, how fast they are; and what the decoder does. */
class AuditionActivity : Activity() {
    private val viewModel by lazy { (application as LarIqaApp).viewModel }
    private lateinit var observation: AutoCloseable

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.audition)
        requireViewById<View>(R.id.share).setOnClickListener {
            val now = viewModel.uiState
            share(now.audition ?: return@setOnClickListener, now.manifest ?: return@setOnClickListener)
        }
        requireViewById<View>(R.id.again).setOnClickListener {
            LarIqa.store(this, LarIqaApp.EXPORT).forget()
            viewModel.load(null)
            finish() // the main screen shows the progress
        }
        observation = viewModel.observe { runOnUiThread { if (!isDestroyed) show(viewModel.uiState) } }
    }

    override fun onDestroy() {
        observation.close()
        super.onDestroy()
    }

    private fun show(now: UiState) {
        val table = now.audition
        val list = requireViewById<ViewGroup>(R.id.units).apply { removeAllViews() }
        for (unit in table?.units.orEmpty()) {
            val row = layoutInflater.inflate(R.layout.audition_row, list, false) as TextView
            row.text = words(unit, unit.choice == table?.fastest?.choice)
            row.setBackgroundResource(if (unit.choice == table?.fastest?.choice) R.drawable.kept else R.drawable.card)
            if (!unit.isAdmitted) row.setTextColor(getColor(R.color.problem))
            list.addView(row)
        }
        val notes = table?.notes.orEmpty().map { resources.say(it) } +
            now.decoders.map { resources.say(it) } + listOfNotNull(getString(R.string.audition_none).takeIf { table == null })
        requireViewById<TextView>(R.id.notes).apply {
            text = notes.joinToString("\n")
            visible(notes.isNotEmpty())
        }
        requireViewById<View>(R.id.share).visible(table != null && now.manifest != null)
    }

    private fun words(unit: UnitResult, isUsed: Boolean): String {
        val refusal = unit.refusal
        val verdict = if (refusal != null) {
            Text.UNIT_NOT_USED.of(unit.choice, resources.say(refusal))
        } else {
            Text.UNIT_ADMITTED.of(unit.choice, ms(unit.medianMs), ms(unit.firstMs), "%.1e".format(unit.worst))
        }
        return listOfNotNull(
            resources.say(verdict),
            unit.peakMib?.takeIf { unit.isAdmitted && it > 0 }?.let { resources.say(Text.UNIT_PEAK.of("%.0f".format(it))) },
            resources.say(Text.UNIT_IN_USE.of()).takeIf { isUsed },
        ).joinToString(" · ")
    }

    private fun ms(value: Double?) = value?.let { (if (it < 10) "%.1f" else "%.0f").format(it) } ?: "?"

    private fun share(table: AuditionTable, manifest: Manifest) {
        val device = LiveDevice(this)
        val rows = auditionRows(table, manifest, device.machine, device.nowIso(), Runtimes.threads)
        val text = rows.joinToString("\n") { it.toLine() }
        startActivity(Intent.createChooser(Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text), null))
    }
}

/** What the choice of a unit offers: first the audition's, null, then each by name. */
val CHOICES: List<RuntimeChoice?> = listOf(null) + RuntimeChoice.entries
