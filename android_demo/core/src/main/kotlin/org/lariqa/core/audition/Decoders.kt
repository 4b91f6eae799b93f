package org.lariqa.core.audition

import java.io.File
import org.lariqa.core.Refusal
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.pixels.Photo
import org.lariqa.core.runtimes.Scorer

/** What this phone's decoders make of the golden files of an export, or why that is not known. */
data class Decoders(
    val checks: Map<Lossy, DecoderCheck> = emptyMap(),
    val problems: Map<Lossy, Sentence> = emptyMap(),
) {
    /** To be shown beside the score of every photo from such a file; null where the decoder agrees. */
    fun caveat(kind: Lossy): Sentence? = when {
        kind in checks -> checks.getValue(kind).caveat
        kind in problems -> problems.getValue(kind)
        kind == Lossy.JPEG -> null
        else -> caveat(Lossy.JPEG) // an older export, which has no other golden file
    }

    /** Of all that was tried, whatever came of it. */
    val summary: List<Sentence> get() = Lossy.entries.mapNotNull { checks[it]?.summary ?: problems[it] }

    companion object {
        private val UNREADABLE = setOf(Text.NOT_A_PHOTO, Text.DAMAGED_PHOTO)

        /**
         * Decodes each golden file as photos are decoded here, and scores what differs on the unit of [scorer].
         *
         * @param library what decodes, and its version.
         * @param known from before: not tried again.
         */
        fun of(
            export: ExportFolder, scorer: Scorer, library: String, openPhoto: (File) -> Photo,
            known: Map<Lossy, DecoderCheck> = emptyMap(),
        ): Decoders {
            val (checks, problems) = known.toMutableMap() to mutableMapOf<Lossy, Sentence>()
            for ((kind, lossy) in export.manifest.golden?.lossy.orEmpty().filterKeys { it !in known }) {
                try {
                    checks[kind] = DecoderCheck.of(export, lossy, scorer, library, openPhoto)
                } catch (refusal: Refusal) {
                    // The file is the one of the manifest: it is the system that cannot read it, nor any photo of the kind.
                    val isUnread = kind == Lossy.HEIC && refusal.sentence.text in UNREADABLE
                    problems[kind] = if (isUnread) Text.NO_HEIC.of() else Text.DECODER_UNKNOWN.of(refusal.sentence)
                }
            }
            return Decoders(checks, problems)
        }
    }
}
