package org.lariqa.core

import java.io.File
import java.util.concurrent.CancellationException

/** Told what is being done, how much of it is done (null: unknown), and asked to stop by an exception from here. */
typealias Watch = (step: Sentence, fraction: Double?) -> Unit

/** A model that runs, and the photo that proves it. */
class LoadedModel(val manifest: Manifest, val scorer: Scorer, val golden: Golden, val tile: Photo) : AutoCloseable {
    override fun close() = scorer.close()
}

/** Opens the export for one choice of runtime: find it, check it, open it. */
fun interface ModelLoader {
    fun load(choice: RuntimeChoice, watch: Watch): LoadedModel
}

/**
 * The loader of the app and of its tests: they differ in where the export lies, in what opens a runtime, and in what
 * decodes a picture.
 */
class ExportLoader(
    private val export: (Watch) -> ExportFolder,
    private val openRunner: (File, Artifact, RuntimeChoice) -> Runner,
    private val openPhoto: (File) -> Photo,
) : ModelLoader {
    override fun load(choice: RuntimeChoice, watch: Watch): LoadedModel {
        val export = export(watch)
        val artifact = export.manifest.artifact(choice.format)
        val golden = export.manifest.golden ?: refuse(Text.NO_GOLDEN, artifact.file)
        val file = export.checked(artifact) { watch(Text.STEP_CHECKING.of(artifact.file), it) }
        val tile = openPhoto(export.checkedGolden(golden))
        watch(Text.STEP_OPENING.of(artifact.file, choice.runtime), null)
        return LoadedModel(export.manifest, Scorer(artifact, openRunner(file, artifact, choice)), golden, tile)
    }
}

/** Work that may be stopped from another thread. */
class Job {
    @Volatile var isCancelled = false
        private set

    fun cancel() {
        isCancelled = true
    }

    fun goOn() {
        if (isCancelled) throw CancellationException("stopped")
    }
}
