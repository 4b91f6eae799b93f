package org.lariqa.core.pixels

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.lariqa.core.Text
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.PreprocessSpec
import org.lariqa.core.refuse

/** A photo -> a file's inputs by name: the views of a photo of any size, or the pixels of one that fits or is [fit]. */
fun inputsOf(photo: Photo, artifact: Artifact, spec: PreprocessSpec, fit: Boolean): Map<String, ByteBuffer> {
    checkHeader(photo.size)
    val names = artifact.inputs.map { it.name }
    val takes = artifact.photoSize ?: return viewsOf(photo, spec, names)
    return mapOf(names.single() to pixelsOf(photo, takes, fit))
}

/** A photo -> the bytes of a `pixels` artifact: as it is, refused, or on request resampled. */
fun pixelsOf(photo: Photo, takes: PhotoSize, fit: Boolean): ByteBuffer {
    if (photo.size != takes && !fit) refuse(Text.DOES_NOT_FIT, photo.size, takes)
    val pixels = pixelBuffer(takes)
    if (photo.size == takes) photo.copyTo(pixels) else fitTo(photo, takes) { pixels.put(it) }
    pixels.rewind()
    return pixels
}

/** Room for RGB bytes where a runtime reads them without a copy: all zeros. */
fun pixelBuffer(size: PhotoSize): ByteBuffer = ByteBuffer.allocateDirect(size.width * size.height * 3).order(ByteOrder.nativeOrder())

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
    val resized = ResizedRows(photo.size, covering, left, top, takes, emit)
    photo.forEachRow(resized.rows, resized::take)
}
