package org.lariqa.core

/** The tile repeated, mirrored, from the top left to any size: `photo(y, x) = tile(mirror(y, h), mirror(x, w))`. */
class GoldenPhoto(tile: Photo, override val size: Size) : Photo {
    private val tileSize = tile.size
    private val pixels = ByteArray(tileSize.width * tileSize.height * 3).also { tile.read(0, tileSize.height, it) }

    override fun read(top: Int, rows: Int, into: ByteArray) {
        var at = 0
        for (y in top until top + rows) {
            val row = mirror(y, tileSize.height) * tileSize.width
            for (x in 0 until size.width) {
                val from = (row + mirror(x, tileSize.width)) * 3
                into[at++] = pixels[from]
                into[at++] = pixels[from + 1]
                into[at++] = pixels[from + 2]
            }
        }
    }

    companion object {
        /** The one `fill` that this class does. */
        const val FILL = "mirror-tiled"

        fun mirror(i: Int, n: Int): Int = (i % (2 * n)).let { if (it < n) it else 2 * n - 1 - it }
    }
}

/** What the self-test found: this phone's score of the golden photo, the reference's, and how far apart they may be. */
data class GoldenResult(val score: Double, val reference: Double, val tolerance: Double) {
    val difference: Double get() = score - reference

    /** Also false for a score that is no number. */
    val passed: Boolean get() = Math.abs(difference) <= tolerance
}

/** The self-test: the first run of a model, on a photo whose score is known. */
fun goldenTest(scorer: Scorer, golden: Golden, tile: Photo, tolerance: Double): GoldenResult {
    val reference = scorer.artifact.references[golden.file]
    if (reference == null || golden.fill != GoldenPhoto.FILL) refuse(Text.NO_GOLDEN, scorer.artifact.file)
    val score = scorer.score(GoldenPhoto(tile, scorer.takes), fit = false)
    return GoldenResult(score.toDouble(), reference, tolerance)
}
