package org.lariqa.demo

import android.app.Activity
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.Menu
import android.view.MenuItem
import android.view.View
import android.widget.AdapterView
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.ImageView
import android.widget.ListView
import android.widget.ProgressBar
import android.widget.Spinner
import android.widget.Switch
import android.widget.TextView
import org.lariqa.core.Text
import org.lariqa.core.scoring.ScoringState
import org.lariqa.core.scoring.ScoringViewModel
import org.lariqa.core.scoring.UiState

/** The one screen that most people see: the model's state, the photos with the best first, and which one to keep. */
class MainActivity : Activity() {
    private lateinit var viewModel: ScoringViewModel
    private lateinit var thumbnails: Thumbnails
    private lateinit var rows: PhotoRows
    private lateinit var observation: AutoCloseable

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        viewModel = (application as LarIqaApp).viewModel
        thumbnails = Thumbnails(contentResolver)
        rows = PhotoRows(layoutInflater, thumbnails)
        setContentView(R.layout.main)
        val list = requireViewById<ListView>(R.id.photos)
        list.addHeaderView(layoutInflater.inflate(R.layout.main_header, list, false), null, false)
        list.adapter = rows
        list.setOnItemClickListener { _, _, position, _ -> show(position - list.headerViewsCount) }
        connectHeader()
        observation = viewModel.observe { runOnUiThread { if (!isDestroyed) show(viewModel.uiState) } }
        if (viewModel.uiState.state == ScoringState.NotLoaded) viewModel.load()
        if (savedInstanceState == null) takeShared(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        takeShared(intent)
    }

    override fun onDestroy() {
        observation.close()
        thumbnails.close()
        super.onDestroy()
    }

    override fun onCreateOptionsMenu(menu: Menu): Boolean {
        menu.add(0, MENU_AUDITION, 0, R.string.audition_title)
        menu.add(0, MENU_BENCHMARK, 1, R.string.benchmark_title)
        menu.add(0, MENU_CLEAR, 2, R.string.clear_list)
        return true
    }

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        when (item.itemId) {
            MENU_AUDITION -> startActivity(Intent(this, AuditionActivity::class.java))
            MENU_BENCHMARK -> startActivity(Intent(this, BenchmarkActivity::class.java))
            MENU_CLEAR -> viewModel.clear()
            else -> return super.onOptionsItemSelected(item)
        }
        return true
    }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        if (result == RESULT_OK && data != null) add(photosIn(data))
    }

    /** From the gallery's share sheet. */
    private fun takeShared(intent: Intent) {
        if (intent.action == Intent.ACTION_SEND || intent.action == Intent.ACTION_SEND_MULTIPLE) add(photosIn(intent))
    }

    private fun add(photos: List<Uri>) {
        photos.forEach { contentResolver.keep(it) }
        viewModel.add(photos.map { contentResolver.asResult(it) })
    }

    private fun connectHeader() {
        on(R.id.choose) { startActivityForResult(pickPhotos(MOST_PHOTOS), PICK) }
        on(R.id.burst) { startActivityForResult(CameraActivity.intent(this, viewModel.uiState.takes), BURST) }
        on(R.id.stop) { viewModel.cancel() }
        on(R.id.again) { loadAgain() }
        on(R.id.rest) { viewModel.resume() }
        requireViewById<Switch>(R.id.fit).setOnCheckedChangeListener { _, on -> if (on != viewModel.uiState.fit) viewModel.fit(on) }
        val choice = requireViewById<Spinner>(R.id.choice)
        val names = CHOICES.map { it?.toString() ?: getString(R.string.choice_audition) }
        choice.adapter = ArrayAdapter(this, android.R.layout.simple_spinner_dropdown_item, names)
        choice.setSelection(CHOICES.indexOf(viewModel.uiState.choice), false)
        choice.onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
            override fun onItemSelected(parent: AdapterView<*>?, view: View?, position: Int, id: Long) {
                if (CHOICES[position] == viewModel.uiState.choice) return
                viewModel.cancel() // photos that were waiting are scored by the new one
                viewModel.load(CHOICES[position])
            }

            override fun onNothingSelected(parent: AdapterView<*>?) = Unit
        }
    }

    private fun loadAgain() {
        val reason = (viewModel.uiState.state as? ScoringState.Failed)?.sentence?.text
        if (reason == Text.FILE_DIFFERS || reason == Text.FILE_MISSING) (application as LarIqaApp).bundled().forget()
        viewModel.load()
    }

    private fun on(button: Int, event: () -> Unit) = requireViewById<Button>(button).setOnClickListener { event() }

    private fun show(now: UiState) {
        requireViewById<TextView>(R.id.state).text = resources.say(now.state)
        val fraction = when (val state = now.state) {
            is ScoringState.Preparing -> state.fraction
            is ScoringState.Scoring -> (state.number - 1.0) / state.of
            else -> null
        }
        requireViewById<ProgressBar>(R.id.progress).apply {
            visible(now.state.isBusy)
            isIndeterminate = fraction == null
            progress = ((fraction ?: 0.0) * max).toInt()
        }
        requireViewById<View>(R.id.stop).visible(now.state.isBusy)
        requireViewById<View>(R.id.again).visible(now.state is ScoringState.Failed || now.state is ScoringState.NotLoaded)
        requireViewById<View>(R.id.rest).visible(now.state is ScoringState.Ready && now.results.any { it.waits })
        requireViewById<TextView>(R.id.warning).apply {
            val untrained = now.manifest?.takeUnless { it.trained }?.score?.meaning
            text = listOfNotNull(untrained, now.warning?.let { resources.say(it) }).joinToString("\n")
            visible(text.isNotEmpty())
        }
        requireViewById<Switch>(R.id.fit).apply {
            isChecked = now.fit
            visible(now.takes != null) // a model that takes any size has nothing to fit
        }
        requireViewById<Spinner>(R.id.choice).setSelection(CHOICES.indexOf(now.choice), false)
        requireViewById<View>(R.id.no_photos).visible(now.results.isEmpty())
        showKept(now)
        rows.show(now.burst, now.manifest?.score)
    }

    private fun showKept(now: UiState) {
        val best = now.burst.kept
        requireViewById<View>(R.id.keep).visible(best != null)
        if (best == null) return
        val photo = requireViewById<ImageView>(R.id.keep_photo)
        photo.contentDescription = best.name
        thumbnails.show(best.id, photo, KEEP_SIDE_PX)
        requireViewById<TextView>(R.id.keep_name).text = getString(R.string.row_label, best.name, scoreText(best.score!!))
        requireViewById<TextView>(R.id.keep_lead).text = resources.say(now.burst.sentence)
    }

    private fun show(position: Int) {
        val photo = rows.getItem(position)
        if (photo.score != null) startActivity(PhotoActivity.intent(this, photo.id))
    }

    private companion object {
        const val PICK = 1
        const val BURST = 2
        const val MENU_BENCHMARK = 1
        const val MENU_CLEAR = 2
        const val MENU_AUDITION = 3
        const val MOST_PHOTOS = 50
        const val KEEP_SIDE_PX = 1200
    }
}

/** A score as people read it. */
fun scoreText(score: Float): String = "%.3f".format(java.util.Locale.getDefault(), score)

/** Visible, or gone. */
fun View.visible(yes: Boolean) {
    visibility = if (yes) View.VISIBLE else View.GONE
}
