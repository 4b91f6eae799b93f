package org.lariqa.core.scoring

import java.io.File
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.audition.Audition
import org.lariqa.core.audition.AuditionKey
import org.lariqa.core.audition.AuditionPictures
import org.lariqa.core.audition.AuditionStore
import org.lariqa.core.audition.AuditionTable
import org.lariqa.core.audition.AuditionUnit
import org.lariqa.core.audition.Decoders
import org.lariqa.core.figure
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.pixels.Photo
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.runtimes.Scorer
import org.lariqa.core.runtimes.SelfTest

/** Called with each step and the fraction of it that is done (null: unknown); may throw to stop the work. */
typealias ProgressListener = (step: Sentence, fraction: Double?) -> Unit

/** Opens an export on one unit, or on the one that the audition chooses: find it, check it, try the units, open it, prove it. */
fun interface ModelLoader {
    /** @param choice null: the fastest unit that the audition admits. */
    fun load(choice: RuntimeChoice?, onProgress: ProgressListener): LoadedModel
}

/** What a loader needs of a phone. */
class Phone(
    /** The app and its version, and the system's build: when one changes, the audition is held again. */
    val app: String,
    val system: String,
    /** What decodes photos here, and its version. */
    val decoder: String,
    /** Null: no audition is held. The plain CPU runs what no other unit was asked for. */
    val store: AuditionStore?,
    /** Of this process; null: not known. */
    val memoryMib: (() -> Double)? = null,
    /** For durations. */
    val nanoTime: () -> Long = System::nanoTime,
)

/**
 * The loader of the app and of its tests: they differ in where the export lies, in what opens a runtime, and in what
 * decodes a picture.
 */
class ExportLoader(
    private val export: (ProgressListener) -> ExportFolder,
    private val openRunner: (File, Artifact, RuntimeChoice) -> Runner,
    private val openPhoto: (File) -> Photo,
    private val phone: Phone,
) : ModelLoader {
    override fun load(choice: RuntimeChoice?, onProgress: ProgressListener): LoadedModel =
        Loading(export(onProgress), onProgress).load(choice)

    /** One export on its way to be ready. */
    private inner class Loading(private val export: ExportFolder, private val onProgress: ProgressListener) {
        private val manifest = export.manifest
        private val files = HashMap<String, File>()
        private val pictures = HashMap<String, AuditionPictures>()
        private val audition = Audition(
            AuditionKey(phone.app, phone.system, exportKey()), manifest.tolerances,
            { artifact -> pictures.getOrPut(artifact.file) { AuditionPictures.of(artifact, export, openPhoto) } },
            phone.store, phone.memoryMib, phone.nanoTime,
        )

        fun load(asked: RuntimeChoice?): LoadedModel {
            if (asked != null) manifest.artifact(asked.format) // refuses a format that the export lacks
            val table = if (asked == null) phone.store?.let { audition.kept ?: hold() } else audition.kept
            table?.units?.firstOrNull { it.choice == asked && !it.isAdmitted }?.let {
                refuse(Text.UNIT_REFUSED, it.choice, it.refusal!!)
            }
            val choice = asked ?: table?.let { chosenOf(it) } ?: units().first().choice
            val artifact = artifactOf(choice)
            val golden = manifest.golden ?: refuse(Text.NO_GOLDEN, artifact.file)
            val tile = openPhoto(export.verifiedGolden(golden))
            val scorer = open(choice)
            try {
                onProgress(Text.WARMING_UP.of(), null)
                val selfTest = SelfTest.run(scorer, golden, tile, manifest.tolerances.of(artifact, choice.arithmetic))
                if (!selfTest.passed) refuse(selfTest)
                val known = table?.decoders.takeIf { asked == null }.orEmpty()
                val decoders = Decoders.of(export, scorer, phone.decoder, openPhoto, known)
                val complete = if (asked == null) table?.copy(decoders = decoders.checks) else table
                if (complete != null && complete != table) audition.save(complete)
                return LoadedModel(manifest, choice, scorer, selfTest, complete, decoders)
            } catch (error: Throwable) {
                scorer.close()
                throw error
            }
        }

        /** Of the files of this export that the app runs, one for each format, on every unit that runs the format. */
        private fun units(): List<AuditionUnit> {
            val formats = manifest.artifacts.filter { it.input in Artifact.PHOTO_INPUTS }.map { it.format }.toSet()
            val choices = RuntimeChoice.entries.filter { it.format in formats }
            if (choices.isEmpty()) refuse(Text.NO_FORMAT, RuntimeChoice.entries.first().format)
            return choices.map { choice ->
                object : AuditionUnit {
                    override val choice = choice
                    override val artifact = artifactOf(choice)
                    override fun open() = open(choice)
                }
            }
        }

        private fun hold(): AuditionTable {
            val units = units()
            units.forEach { file(it.artifact) } // a damaged file is no unit's fault
            return audition.hold(units) { choice, done ->
                onProgress(Text.STEP_AUDITION.of(choice, done + 1, units.size), done.toDouble() / units.size)
            }
        }

        private fun chosenOf(table: AuditionTable): RuntimeChoice = table.fastest?.choice
            ?: refuse(Text.NO_UNIT, table.units.joinToString("; ") { "${it.choice}: ${it.refusal}" })

        private fun artifactOf(choice: RuntimeChoice) = manifest.artifact(choice.format).opened(choice.sessionOptions)

        /** Read and compared once. */
        private fun file(artifact: Artifact): File = files.getOrPut(artifact.file) {
            export.verified(artifact) { onProgress(Text.STEP_CHECKING.of(artifact.file), it) }
        }

        private fun open(choice: RuntimeChoice): Scorer {
            val artifact = artifactOf(choice)
            val file = file(artifact)
            onProgress(Text.STEP_OPENING.of(artifact.file, choice.runtime), null)
            return Scorer(artifact, manifest.preprocess, openRunner(file, artifact, choice))
        }

        /** The files that are auditioned, and what they are judged by: an export may be proved anew around the same file. */
        private fun exportKey(): String = manifest.artifacts.filter { it.input in Artifact.PHOTO_INPUTS }
            .joinToString("|") { "${it.sha256} ${it.audition.hashCode()} ${it.references.hashCode()} ${manifest.tolerances.hashCode()}" }

        private fun refuse(test: SelfTest): Nothing = refuse(
            Text.GOLDEN_DIFFERS, score(test.score), score(test.reference), figure(Math.abs(test.difference)), figure(test.tolerance),
        )

        private fun score(value: Double) = "%.6f".format(java.util.Locale.ROOT, value)
    }
}
