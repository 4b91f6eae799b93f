package org.lariqa

import android.content.Context
import android.net.Uri
import android.os.Build
import android.os.Debug
import java.io.File
import java.util.concurrent.CancellationException
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine
import org.lariqa.core.audition.AuditionStore
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.pixels.Photo
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.scoring.ExportLoader
import org.lariqa.core.scoring.LoadedModel
import org.lariqa.core.scoring.Phone
import org.lariqa.core.scoring.PhotoScore
import org.lariqa.core.scoring.ProgressListener

/**
 * Scores photos in an app:
 *
 *     val iqa = LarIqa.open(context, "exported")   // the folder of an export in the app's assets
 *     val score = iqa.score(uri).score
 *
 * Opening checks the file's sha256, tries every unit of the phone at first launch, and scores the golden photo on the one
 * that it uses: where that differs from PyTorch by more than the export allows, it throws a [org.lariqa.core.Refusal], whose
 * sentence says why, as a photo that cannot be scored does.
 *
 * Suspending functions may be called from any thread, the main one too: the work is done on one of its own, one photo at a
 * time. The blocking ones are for Java and for threads that may wait.
 */
class LarIqa private constructor(
    private val context: Context,
    /** What is open: its manifest, unit, audition, decoder and margin. */
    val model: LoadedModel,
    private val thread: ExecutorService,
) : AutoCloseable {
    /** Score a photo that a content URI names; [fit] resamples one for a file that takes another size. */
    suspend fun score(photo: Uri, fit: Boolean = false): PhotoScore =
        thread.finish(model::cancel) { scoreBlocking(photo, fit) }

    /** The same, on this thread. */
    @Synchronized
    fun scoreBlocking(photo: Uri, fit: Boolean = false): PhotoScore = model.score(fit) { photo(context, photo) }

    /** Ends a run in progress and frees the model. */
    override fun close() {
        model.cancel()
        thread.execute { synchronized(this) { model.close() } }
        thread.shutdown()
    }

    companion object {
        /**
         * Open the export in a folder of the app's assets.
         *
         * @param unit what to compute on; null: the fastest that the audition admits.
         * @param onProgress told each step; at first launch the audition takes some runs on every unit.
         */
        suspend fun open(
            context: Context, assets: String, unit: RuntimeChoice? = null, onProgress: ProgressListener = { _, _ -> },
        ): LarIqa {
            val thread = newThread()
            val isStopped = AtomicBoolean()
            try {
                return thread.finish({ isStopped.set(true) }) {
                    openOn(thread, context, assets, unit) { step, fraction ->
                        if (isStopped.get()) throw CancellationException("stopped")
                        onProgress(step, fraction)
                    }
                }
            } catch (error: Throwable) {
                thread.shutdown()
                throw error
            }
        }

        /** The same, on this thread; [onProgress] may throw to stop. */
        fun openBlocking(
            context: Context, assets: String, unit: RuntimeChoice? = null, onProgress: ProgressListener = { _, _ -> },
        ): LarIqa = openOn(newThread(), context, assets, unit, onProgress)

        /** A photo as models take it: decoded, upright, its own values. Close it after use. */
        fun photo(context: Context, photo: Uri): Photo = BitmapPhoto.open(context.contentResolver, photo)

        /** The export in a folder of the app's assets. */
        fun bundled(context: Context, assets: String): BundledExport =
            BundledExport(context.assets, assets, File(context.noBackupFilesDir, "lariqa/$assets"))

        /** The loader of an export, wherever it lies: what [open] does for the app's assets. */
        fun loader(context: Context, name: String, export: (ProgressListener) -> ExportFolder): ExportLoader = ExportLoader(
            export, Runtimes(context)::open, { BitmapPhoto.open(it) },
            Phone(appOf(context), Build.FINGERPRINT, DECODER, store(context, name), ::memoryMib),
        )

        /** The tables of this app's auditions: to be forgotten where somebody wants a new one. */
        fun store(context: Context, name: String) = AuditionStore(File(context.noBackupFilesDir, "lariqa/$name.audition.json"))

        /** Proportional set size of this process. */
        fun memoryMib(): Double = Debug.MemoryInfo().also { Debug.getMemoryInfo(it) }.totalPss / KIB_PER_MIB

        /** What decodes photos here. */
        val DECODER = "Android ImageDecoder (API ${Build.VERSION.SDK_INT})"

        private const val KIB_PER_MIB = 1024.0

        private fun openOn(
            thread: ExecutorService, context: Context, assets: String, unit: RuntimeChoice?, onProgress: ProgressListener,
        ): LarIqa {
            val app = context.applicationContext
            val loader = loader(app, assets) { bundled(app, assets).open(it) }
            return LarIqa(app, loader.load(unit, onProgress), thread)
        }

        private fun appOf(context: Context): String = context.packageManager.getPackageInfo(context.packageName, 0)
            .run { "$packageName $versionName $longVersionCode" }

        private fun newThread() = Executors.newSingleThreadExecutor { Thread(it, "lariqa") }

        /** Do the work on this thread; a caller that gives up has it stopped. */
        private suspend fun <T> ExecutorService.finish(stop: () -> Unit, work: () -> T): T = suspendCancellableCoroutine { caller ->
            val job = submit {
                if (!caller.isActive) return@submit
                runCatching(work).fold(
                    { caller.resume(it) { _, unused, _ -> (unused as? AutoCloseable)?.close() } }, caller::resumeWithException,
                )
            }
            caller.invokeOnCancellation {
                job.cancel(false)
                stop()
            }
        }
    }
}
