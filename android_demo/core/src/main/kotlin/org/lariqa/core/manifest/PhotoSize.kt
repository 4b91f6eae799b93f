package org.lariqa.core.manifest

/** Width and height in pixels. */
data class PhotoSize(val width: Int, val height: Int) {
    override fun toString(): String = "${width}x$height"
}
