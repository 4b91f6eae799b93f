package org.lariqa.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer

/** A photo -> the bytes of a `pixels` artifact: as it is, refused, or on request resampled. */
fun pixelsOf(photo: Photo, takes: Size, fit: Boolean): ByteBuffer {
    checkHeader(photo.size)
    if (photo.size != takes && !fit) refuse(Text.DOES_NOT_FIT, photo.size, takes)
    val pixels = ByteBuffer.allocateDirect(takes.width * takes.height * 3).order(ByteOrder.nativeOrder())
    if (photo.size == takes) photo.copyTo(pixels) else fitTo(photo, takes) { pixels.put(it) }
    pixels.rewind()
    return pixels
}

/**
 * A photo resampled to another size, row by row: scaled to cover it, then cut in the middle. The score of a resampled
 * photo is the score of another picture: resampling hides noise and blur. The Python twin is `fit_to` in export/scorer.py.
 */
fun fitTo(photo: Photo, takes: Size, emit: (ByteArray) -> Unit) {
    val (width, height) = photo.size
    val scale = maxOf(takes.height.toDouble() / height, takes.width.toDouble() / width)
    val covering = Size(
        maxOf(takes.width, Math.rint(width * scale).toInt()),
        maxOf(takes.height, Math.rint(height * scale).toInt()),
    )
    val left = centerCropAxis(covering.width, takes.width).from
    val top = centerCropAxis(covering.height, takes.height).from
    resizedPart(photo, covering, left, top, takes, emit)
}

/** The authentic view as RGB bytes: the whole photo, resized to the square of the spec. */
fun authenticPixels(photo: Photo, spec: PreprocessSpec): ByteArray {
    val side = Size(spec.authenticSidePx, spec.authenticSidePx)
    val view = ByteBuffer.allocate(side.width * side.height * 3)
    resizedPart(photo, side, 0, 0, side) { view.put(it) }
    return view.array()
}

/** The synthetic view as RGB bytes, and its size: the photo itself, or its centre crop on black. */
fun syntheticPixels(photo: Photo, spec: PreprocessSpec, view: String): Pair<Size, ByteArray> {
    val side = if (view == "full") photo.size else Size(spec.syntheticCropPx, spec.syntheticCropPx)
    val rows = centerCropAxis(photo.size.height, side.height)
    val columns = centerCropAxis(photo.size.width, side.width)
    val pixels = ByteArray(side.width * side.height * 3)
    val row = ByteArray(photo.size.width * 3)
    for (y in 0 until rows.length) {
        photo.read(rows.from + y, 1, row)
        val into = ((rows.before + y) * side.width + columns.before) * 3
        System.arraycopy(row, columns.from * 3, pixels, into, columns.length * 3)
    }
    return side to pixels
}

/** RGB bytes -> planes of (pixel / 255 - mean) / std, as a `tensors` artifact takes them: (1, 3, height, width). */
fun normalise(rgb: ByteArray, spec: PreprocessSpec): FloatBuffer {
    val plane = rgb.size / 3
    val values = ByteBuffer.allocateDirect(rgb.size * 4).order(ByteOrder.nativeOrder()).asFloatBuffer()
    for (channel in 0 until 3) {
        val mean = spec.mean[channel]
        val std = spec.std[channel]
        for (i in 0 until plane) values.put(channel * plane + i, ((rgb[3 * i + channel].toInt() and 255) / 255f - mean) / std)
    }
    return values
}
