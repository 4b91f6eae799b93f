package org.lariqa.core.scoring

import java.io.File
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.Golden
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.pixels.Photo
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer

/** Called with each step and the fraction of it that is done (null: unknown); may throw to stop the work. */
typealias ProgressListener = (step: Sentence, fraction: Double?) -> Unit

/** A model that is open, and the photo that it is tested with. */
class LoadedModel(val manifest: Manifest, val scorer: Scorer, val golden: Golden, val tile: Photo) : AutoCloseable {
    override fun close() = scorer.close()
}

/** Opens the export for one choice of runtime: find it, check it, open it. */
fun interface ModelLoader {
    fun load(choice: RuntimeChoice, onProgress: ProgressListener): LoadedModel
}

/**
 * The loader of the app and of its tests: they differ in where the export lies, in what opens a runtime, and in what
 * decodes a picture.
 */
class ExportLoader(
    private val export: (ProgressListener) -> ExportFolder,
    private val openRunner: (File, Artifact, RuntimeChoice) -> Runner,
    private val openPhoto: (File) -> Photo,
) : ModelLoader {
    override fun load(choice: RuntimeChoice, onProgress: ProgressListener): LoadedModel {
        val export = export(onProgress)
        val artifact = export.manifest.artifact(choice.format)
        val golden = export.manifest.golden ?: refuse(Text.NO_GOLDEN, artifact.file)
        val file = export.verified(artifact) { onProgress(Text.STEP_CHECKING.of(artifact.file), it) }
        val tile = openPhoto(export.verifiedGolden(golden))
        onProgress(Text.STEP_OPENING.of(artifact.file, choice.runtime), null)
        val scorer = Scorer(artifact, export.manifest.preprocess, openRunner(file, artifact, choice))
        return LoadedModel(export.manifest, scorer, golden, tile)
    }
}
