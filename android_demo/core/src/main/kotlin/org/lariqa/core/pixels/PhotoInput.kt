package org.lariqa.core.pixels

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.lariqa.core.Text
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.refuse

/** A photo -> the bytes of a `pixels` artifact: as it is, refused, or on request resampled. */
fun pixelsOf(photo: Photo, takes: PhotoSize, fit: Boolean): ByteBuffer {
    checkHeader(photo.size)
    if (photo.size != takes && !fit) refuse(Text.DOES_NOT_FIT, photo.size, takes)
    val pixels = ByteBuffer.allocateDirect(takes.width * takes.height * 3).order(ByteOrder.nativeOrder())
    if (photo.size == takes) photo.copyTo(pixels) else fitTo(photo, takes) { pixels.put(it) }
    pixels.rewind()
    return pixels
}

/**
 * A photo resampled to another size, row by row: scaled to cover it, then cut in the middle. The score of a resampled
 * photo is the score of another picture: resampling hides noise and blur. The Python twin is `fit_to` in lariqa/runtimes/scorer.py.
 */
fun fitTo(photo: Photo, takes: PhotoSize, emit: (ByteArray) -> Unit) {
    val (width, height) = photo.size
    val scale = maxOf(takes.height.toDouble() / height, takes.width.toDouble() / width)
    val covering = PhotoSize(
        maxOf(takes.width, Math.rint(width * scale).toInt()),
        maxOf(takes.height, Math.rint(height * scale).toInt()),
    )
    val left = centerCropAxis(covering.width, takes.width).start
    val top = centerCropAxis(covering.height, takes.height).start
    resizedPart(photo, covering, left, top, takes, emit)
}
