package org.lariqa.core.pixels

import org.lariqa.core.manifest.PhotoSize

/** The tile repeated, mirrored, from the top left to any size: `photo(y, x) = tile(mirror(y, h), mirror(x, w))`. */
class GoldenPhoto(tile: Photo, override val size: PhotoSize) : Photo {
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
        /** The one `fill` that this class implements. */
        const val FILL = "mirror-tiled"

        fun mirror(i: Int, n: Int): Int = (i % (2 * n)).let { if (it < n) it else 2 * n - 1 - it }
    }
}
