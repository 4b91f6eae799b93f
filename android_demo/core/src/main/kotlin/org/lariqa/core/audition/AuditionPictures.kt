package org.lariqa.core.audition

import java.io.File
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.GoldenPhoto
import org.lariqa.core.pixels.Photo
import org.lariqa.core.refuse

/** A picture that a unit scores, its size, and PyTorch's score of it. */
class AuditionPicture(val name: String, val reference: Double, val open: () -> Photo)

/**
 * What the units of one file are judged by: the golden photo first, then the audition's pictures.
 *
 * [notes] says what was left out, a sentence each.
 */
class AuditionPictures private constructor(val all: List<AuditionPicture>, val notes: List<Sentence>) {
    companion object {
        /** Opens the golden files of an export, each sha256 checked, and describes the pictures of one of its files. */
        fun of(artifact: Artifact, export: ExportFolder, openPhoto: (File) -> Photo): AuditionPictures {
            val golden = export.manifest.golden ?: refuse(Text.NO_GOLDEN, artifact.file)
            val reference = artifact.references[golden.file]
            val size = reference?.size
            if (size == null || golden.fill != GoldenPhoto.FILL) refuse(Text.NO_GOLDEN, artifact.file)
            val tile = openPhoto(export.verifiedGolden(golden))
            val pictures = mutableListOf(AuditionPicture(golden.file, reference.score) { GoldenPhoto(tile, size) })
            val unknown = mutableListOf<String>()
            for (row in artifact.audition) {
                val lossy = golden.lossy.values.firstOrNull { it.file == row.picture }
                val open = when {
                    lossy != null -> {
                        val pixels = openPhoto(export.verifiedPixels(lossy))
                        ({ GoldenPhoto(pixels, row.size) })
                    }
                    golden.generator == GeneratedPhoto.GENERATOR -> generated(row.picture, tile, row.size)
                    else -> null
                }
                if (open == null) unknown += row.picture else pictures += AuditionPicture(row.picture, row.reference, open)
            }
            return AuditionPictures(pictures, notes(artifact, unknown))
        }

        private fun generated(name: String, tile: Photo, size: PhotoSize): (() -> Photo)? =
            GeneratedPhoto.of(name, tile, size)?.let { { GeneratedPhoto.of(name, tile, size)!! } }

        private fun notes(artifact: Artifact, unknown: List<String>): List<Sentence> = listOfNotNull(
            Text.AUDITION_GOLDEN_ALONE.of(artifact.file).takeIf { artifact.audition.isEmpty() },
            Text.AUDITION_UNKNOWN.of(unknown.joinToString()).takeIf { unknown.isNotEmpty() },
        )
    }
}
