package org.lariqa.core

import java.io.IOException
import java.util.concurrent.CancellationException
import java.util.concurrent.CopyOnWriteArraySet
import java.util.concurrent.Executor

/**
 * The app's view model, free of Android: takes events (load, add photos, cancel), gives a [Snapshot] after each change.
 * All work is done by [worker], one job at a time; events return at once. Whoever watches is called on the thread that
 * made the change.
 */
class Desk(
    private val loader: ModelLoader,
    private val openPhoto: (PhotoResult) -> Photo,
    private val journal: Journal,
    private val worker: Executor,
) : AutoCloseable {
    private val watchers = CopyOnWriteArraySet<(Snapshot) -> Unit>()
    private var model: LoadedModel? = null // the worker's alone
    private var job = Job()
    private var scoredBy = ""

    @Volatile var snapshot = Snapshot()
        private set

    init {
        val entry = journal.read()
        scoredBy = entry.checkpointSha256
        snapshot = Snapshot(results = entry.results)
    }

    /** Hear every change, and at once what is the case. Closing ends it. */
    fun watch(watcher: (Snapshot) -> Unit): AutoCloseable {
        watchers.add(watcher)
        watcher(snapshot)
        return AutoCloseable { watchers.remove(watcher) }
    }

    /** Open the model with another runtime, or again; then score what waits. */
    fun load(choice: RuntimeChoice = snapshot.choice) = start { job ->
        model?.close()
        model = null
        change { it.copy(choice = choice, manifest = null, takes = null) }
        try {
            prepare(choice, job)
        } catch (refusal: Refusal) {
            dropModel()
            change { it.copy(state = DeskState.Failed(refusal.sentence)) }
            return@start
        } catch (_: OutOfMemoryError) {
            dropModel()
            change { it.copy(state = DeskState.Failed(Text.OUT_OF_MEMORY.of(it.takes ?: "?"))) }
            return@start
        } catch (stopped: CancellationException) {
            dropModel()
            change { it.copy(state = DeskState.NotLoaded) }
            throw stopped
        }
        scoreWaiting(job)
    }

    /** Add photos and score them; one that is there already is not added twice. */
    fun add(photos: List<PhotoResult>) {
        change { now -> now.copy(results = now.results + photos.filter { new -> now.results.none { it.id == new.id } }) }
        save()
        start { scoreWaiting(it) }
    }

    /** Score what waits, was stopped or interrupted. */
    fun resume() = start { scoreWaiting(it) }

    /** Whether photos of another size are resampled; those that were refused for it, or resampled, are scored again. */
    fun fit(on: Boolean) {
        change { now ->
            val again = now.results.map {
                if (it.fitted || it.problem?.text == Text.DOES_NOT_FIT) PhotoResult(it.id, it.name) else it
            }
            now.copy(fit = on, results = again)
        }
        save()
        start { scoreWaiting(it) }
    }

    /** Stop what is going on; scores that are there stay. */
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
        watchers.clear()
        worker.execute { dropModel() }
    }

    @Volatile private var current: Scorer? = null

    private fun prepare(choice: RuntimeChoice, job: Job) {
        val loaded = loader.load(choice) { step, fraction ->
            job.goOn()
            change { it.copy(state = DeskState.Preparing(step, fraction)) }
        }
        model = loaded
        val scorer = loaded.scorer
        change { it.copy(state = DeskState.WarmingUp, manifest = loaded.manifest, takes = scorer.takes) }
        val tolerance = loaded.manifest.tolerances.of(scorer.artifact, choice.arithmetic)
        val golden = running(scorer, job) { goldenTest(scorer, loaded.golden, loaded.tile, tolerance) }
        if (!golden.passed) {
            refuse(
                Text.GOLDEN_DIFFERS, score(golden.score), score(golden.reference), figure(Math.abs(golden.difference)),
                figure(golden.tolerance),
            )
        }
        if (scoredBy != loaded.manifest.checkpointSha256) { // scores of other weights
            scoredBy = loaded.manifest.checkpointSha256
            change { now -> now.copy(results = now.results.map { PhotoResult(it.id, it.name) }) }
            save()
        }
        ready = DeskState.Ready(choice, scorer.runtime, golden)
        change { it.copy(state = ready!!) }
    }

    private var ready: DeskState.Ready? = null

    private fun scoreWaiting(job: Job) {
        val scorer = model?.scorer ?: return
        val waiting = snapshot.results.filter { it.waits }
        try {
            waiting.forEachIndexed { index, photo ->
                job.goOn()
                change { it.copy(state = DeskState.Scoring(photo.name, index + 1, waiting.size)) }
                settle(scoreOne(scorer, photo, job))
            }
        } catch (stopped: CancellationException) {
            waiting.filter { photo -> snapshot.results.any { it == photo } }
                .forEach { settle(it.copy(problem = Text.CANCELLED.of())) }
            throw stopped
        } finally {
            change { it.copy(state = ready!!) }
        }
    }

    private fun scoreOne(scorer: Scorer, photo: PhotoResult, job: Job): PhotoResult {
        var size: Size? = null
        return try {
            val fit = snapshot.fit
            val pixels = openPhoto(photo).use { // the decoder's picture goes before the model runs
                size = it.size
                pixelsOf(it, scorer.takes, fit)
            }
            job.goOn()
            val score = running(scorer, job) { scorer.score(pixels) }
            photo.copy(score = score, fitted = size != scorer.takes, problem = null)
        } catch (refusal: Refusal) {
            photo.copy(problem = refusal.sentence)
        } catch (_: OutOfMemoryError) {
            photo.copy(problem = Text.OUT_OF_MEMORY.of(size ?: "?"))
        }
    }

    /** Run so that [cancel] reaches the runtime; a run that was stopped counts as stopped, not as failed. */
    private fun <T> running(scorer: Scorer, job: Job, run: () -> T): T {
        current = scorer
        try {
            return run()
        } catch (refusal: Refusal) {
            job.goOn()
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
                // Said in the snapshot.
            }
        }
    }

    private fun dropModel() {
        model?.close()
        model = null
    }

    private fun save() {
        val problem = try {
            synchronized(journal) { journal.write(Journal.Entry(scoredBy, snapshot.results)) }
            null
        } catch (odd: IOException) {
            Text.NOT_KEPT.of(reasonOf(odd))
        }
        if (problem != snapshot.warning) change { it.copy(warning = problem) }
    }

    private fun change(next: (Snapshot) -> Snapshot) {
        synchronized(this) { snapshot = next(snapshot) }
        watchers.forEach { it(snapshot) } // not what was just made: another thread may have changed it since
    }

    private fun score(value: Double) = "%.6f".format(java.util.Locale.ROOT, value)
}
