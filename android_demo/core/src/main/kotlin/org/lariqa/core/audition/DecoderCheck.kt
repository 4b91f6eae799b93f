package org.lariqa.core.audition

import java.io.File
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.figure
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.GoldenLossy
import org.lariqa.core.pixels.GoldenPhoto
import org.lariqa.core.pixels.Photo
import org.lariqa.core.refuse
import org.lariqa.core.runtimes.Scorer

/** By how much two decoders differ over all values of a picture, in levels of 0..255. */
data class Levels(val worst: Int, val mean: Double, val differingShare: Double) {
    companion object {
        /** Of two pictures of one size. */
        fun between(own: Photo, expected: Photo): Levels {
            require(own.size == expected.size) { "${own.size} and ${expected.size}" }
            val stride = own.size.width * 3
            val (mine, right) = ByteArray(stride) to ByteArray(stride)
            var (worst, sum, differing) = Triple(0, 0L, 0L)
            for (y in 0 until own.size.height) {
                own.read(y, 1, mine)
                expected.read(y, 1, right)
                for (i in 0 until stride) {
                    val difference = Math.abs((mine[i].toInt() and 255) - (right[i].toInt() and 255))
                    worst = maxOf(worst, difference)
                    sum += difference
                    if (difference > 0) differing++
                }
            }
            val values = stride.toDouble() * own.size.height
            return Levels(worst, sum / values, differing / values)
        }
    }
}

/**
 * What this phone's decoder makes of a golden JPEG or HEIC, of which the pixels are known that Pillow decodes it to, and what
 * the difference does to that picture's score.
 */
data class DecoderCheck(
    val library: String,
    val file: String,
    val levels: Levels,
    /** Of this phone's own pixels, on the unit that scores here; null: no size is known to score it at. */
    val score: Double?,
    /** Of Pillow's pixels, on the same unit. */
    val scoreOfExpected: Double?,
    /** PyTorch's, of Pillow's pixels; null: the export does not have it for this picture. */
    val reference: Double?,
    /** How far a decoder may move a score without being named: what float32 may differ by. */
    val tolerance: Double,
) {
    /** What the decoder alone moves that picture's score by. */
    val effect: Double? get() = if (score == null || scoreOfExpected == null) null else Math.abs(score - scoreOfExpected)

    /** To be shown beside the score of every photo from such a file; null where the decoder agrees. */
    val caveat: Sentence? get() = effect?.takeIf { it > tolerance }
        ?.let { Text.DECODER_OFF.of(library, levels.worst, file, figure(it)) }

    /** Of the check itself, whatever came of it. */
    val summary: Sentence get() {
        val moved = effect
        return caveat ?: when {
            levels.worst == 0 -> Text.DECODER_SAME.of(library, file)
            moved == null -> Text.DECODER_UNSCORED.of(library, levels.worst, file)
            else -> Text.DECODER_CLOSE.of(library, levels.worst, file, figure(moved))
        }
    }

    companion object {
        /**
         * Decodes a golden file of the export as photos are decoded here, and scores what differs on the unit of [scorer].
         * Refuses, with the reason why it could not be compared.
         *
         * @param library what decodes, and its version.
         */
        fun of(
            export: ExportFolder, lossy: GoldenLossy, scorer: Scorer, library: String, openPhoto: (File) -> Photo,
        ): DecoderCheck {
            val row = scorer.artifact.audition.firstOrNull { it.picture == lossy.file }
            val expected = openPhoto(export.verifiedPixels(lossy))
            return openPhoto(export.verifiedLossy(lossy)).use { own ->
                if (own.size != expected.size) refuse(Text.OTHER_SIZE, lossy.file, own.size, expected.size)
                val levels = Levels.between(own, expected)
                // A file without a reference of this picture still tells what the difference moves.
                val size = row?.size ?: export.manifest.golden?.let { scorer.artifact.references[it.file]?.size }
                fun score(photo: Photo) = size?.let { scorer.score(GoldenPhoto(photo, it), fit = false).toDouble() }
                val right = score(expected)
                val given = if (levels.worst == 0) right else score(own)
                DecoderCheck(library, lossy.file, levels, given, right, row?.reference, export.manifest.tolerances.float32)
            }
        }
    }
}
