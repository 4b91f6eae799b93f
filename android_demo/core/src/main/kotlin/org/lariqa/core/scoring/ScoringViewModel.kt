package org.lariqa.core.scoring

import java.io.IOException
import java.util.concurrent.CancellationException
import java.util.concurrent.CopyOnWriteArraySet
import java.util.concurrent.Executor
import org.lariqa.core.Refusal
import org.lariqa.core.Text
import org.lariqa.core.pixels.Photo
import org.lariqa.core.reasonOf
import org.lariqa.core.runtimes.RuntimeChoice

/**
 * What the screens show and do: takes events (load, add photos, cancel), publishes a [UiState] after each change. Plain
 * Kotlin, not an AndroidX ViewModel: the application object holds it, so it outlives every screen.
 *
 * [worker] does all work, one job at a time; events return at once. Observers are called on the thread that made the
 * change.
 */
class ScoringViewModel(
    private val loader: ModelLoader,
    private val openPhoto: (PhotoResult) -> Photo,
    private val journal: Journal,
    private val worker: Executor,
) : AutoCloseable {
    private val observers = CopyOnWriteArraySet<(UiState) -> Unit>()
    private var model: LoadedModel? = null // used by the worker only
    private var job = Job()
    private var scoredBy = ""

    @Volatile var uiState = UiState()
        private set

    init {
        val kept = journal.read()
        scoredBy = kept.checkpointSha256
        uiState = UiState(results = kept.results)
    }

    /** Calls [observer] now and after each change, until the returned handle is closed. */
    fun observe(observer: (UiState) -> Unit): AutoCloseable {
        observers.add(observer)
        observer(uiState)
        return AutoCloseable { observers.remove(observer) }
    }

    /** Open the model on a unit, null: on the one that the audition chooses; then score the photos that wait. */
    fun load(choice: RuntimeChoice? = uiState.choice) = start { job ->
        model?.close()
        model = null
        change { it.copy(choice = choice, manifest = null, artifact = null, margin = null, decoders = emptyList()) }
        try {
            prepare(choice, job)
        } catch (refusal: Refusal) {
            dropModel()
            change { it.copy(state = ScoringState.Failed(refusal.sentence)) }
            return@start
        } catch (_: OutOfMemoryError) {
            dropModel()
            change { it.copy(state = ScoringState.Failed(Text.MODEL_OUT_OF_MEMORY.of())) }
            return@start
        } catch (stopped: CancellationException) {
            dropModel()
            change { it.copy(state = ScoringState.NotLoaded) }
            throw stopped
        }
        scoreWaiting(job)
    }

    /** Add photos and score them; no photo is added twice. */
    fun add(photos: List<PhotoResult>) {
        change { now -> now.copy(results = now.results + photos.filter { new -> now.results.none { it.id == new.id } }) }
        save()
        start { scoreWaiting(it) }
    }

    /** Score the photos that wait, or whose scoring was stopped or interrupted. */
    fun resume() = start { scoreWaiting(it) }

    /** Whether photos of another size are resampled; those that were refused for it, or resampled, are scored again. */
    fun fit(on: Boolean) {
        change { it.copy(fit = on, results = againWhereSizeMattered(it.results)) }
        save()
        start { scoreWaiting(it) }
    }

    private fun againWhereSizeMattered(results: List<PhotoResult>) = results.map {
        if (it.wasResampled || it.problem?.text == Text.DOES_NOT_FIT) PhotoResult(it.id, it.name) else it
    }

    /** Stop the work in progress; existing scores stay. */
    fun cancel() {
        synchronized(this) { job }.cancel()
        current?.cancel()
    }

    /** Forget all photos. */
    fun clear() {
        cancel()
        change { it.copy(results = emptyList()) }
        save()
    }

    override fun close() {
        cancel()
        observers.clear()
        worker.execute { dropModel() }
    }

    @Volatile private var current: LoadedModel? = null

    private fun prepare(choice: RuntimeChoice?, job: Job) {
        val loaded = loader.load(choice) { step, fraction ->
            job.ensureActive()
            change { it.copy(state = if (step.text == Text.WARMING_UP) ScoringState.WarmingUp else ScoringState.Preparing(step, fraction)) }
        }
        model = loaded
        change {
            it.copy(
                manifest = loaded.manifest, artifact = loaded.artifact, margin = loaded.margin, audition = loaded.table,
                decoders = loaded.decoders.summary,
            )
        }
        if (scoredBy != loaded.manifest.checkpointSha256) { // scores of other weights
            scoredBy = loaded.manifest.checkpointSha256
            change { now -> now.copy(results = now.results.map { PhotoResult(it.id, it.name) }) }
            save()
        }
        if (loaded.takes == null) { // no photo is refused or resampled for its size any more
            change { it.copy(results = againWhereSizeMattered(it.results)) }
            save()
        }
        ready = ScoringState.Ready(loaded.choice, loaded.runtime, loaded.selfTest)
        change { it.copy(state = ready!!) }
    }

    private var ready: ScoringState.Ready? = null

    private fun scoreWaiting(job: Job) {
        val model = model ?: return
        val waiting = uiState.results.filter { it.waits }
        try {
            waiting.forEachIndexed { index, photo ->
                job.ensureActive()
                change { it.copy(state = ScoringState.Scoring(photo.name, index + 1, waiting.size)) }
                settle(scoreOne(model, photo, job))
            }
        } catch (stopped: CancellationException) {
            waiting.filter { photo -> uiState.results.any { it == photo } }
                .forEach { settle(it.copy(problem = Text.CANCELLED.of())) }
            throw stopped
        } finally {
            change { it.copy(state = ready!!) }
        }
    }

    private fun scoreOne(model: LoadedModel, photo: PhotoResult, job: Job): PhotoResult = try {
        val scored = running(model, job) { model.score(uiState.fit) { openPhoto(photo) } }
        photo.copy(
            score = scored.score, size = scored.size, wasResampled = scored.wasResampled, problem = null, caveat = scored.caveat,
        )
    } catch (refusal: Refusal) {
        photo.copy(problem = refusal.sentence)
    }

    /** Run so that [cancel] reaches the runtime; a run that was stopped counts as cancelled, not as failed. */
    private fun <T> running(model: LoadedModel, job: Job, run: () -> T): T {
        current = model
        try {
            return run()
        } catch (refusal: Refusal) {
            job.ensureActive()
            throw refusal
        } finally {
            current = null
        }
    }

    private fun settle(result: PhotoResult) {
        change { now -> now.copy(results = now.results.map { if (it.id == result.id) result else it }) }
        save()
    }

    private fun start(work: (Job) -> Unit) {
        val mine = synchronized(this) { if (job.isCancelled) Job().also { job = it } else job }
        worker.execute {
            try {
                if (!mine.isCancelled) work(mine)
            } catch (_: CancellationException) {
                // The state says so already.
            }
        }
    }

    private fun dropModel() {
        model?.close()
        model = null
    }

    private fun save() {
        val problem = try {
            synchronized(journal) { journal.write(Journal.Contents(scoredBy, uiState.results)) }
            null
        } catch (error: IOException) {
            Text.NOT_KEPT.of(reasonOf(error))
        }
        if (problem != uiState.warning) change { it.copy(warning = problem) }
    }

    private fun change(next: (UiState) -> UiState) {
        synchronized(this) { uiState = next(uiState) }
        observers.forEach { it(uiState) } // the latest: another thread may have changed it since
    }
}
