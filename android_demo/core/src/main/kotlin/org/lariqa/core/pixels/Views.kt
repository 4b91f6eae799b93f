package org.lariqa.core.pixels

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.PreprocessSpec

/** The authentic view as RGB bytes: the whole photo, resized to the square of the spec. */
fun authenticView(photo: Photo, spec: PreprocessSpec): ByteArray {
    val side = PhotoSize(spec.authenticSidePx, spec.authenticSidePx)
    val view = ByteBuffer.allocate(side.width * side.height * 3)
    resizedPart(photo, side, 0, 0, side) { view.put(it) }
    return view.array()
}

/** The synthetic view as RGB bytes, and its size: the photo itself, or its centre crop on black. */
fun syntheticView(photo: Photo, spec: PreprocessSpec, view: String): Pair<PhotoSize, ByteArray> {
    val side = if (view == "full") photo.size else PhotoSize(spec.syntheticCropPx, spec.syntheticCropPx)
    val rows = centerCropAxis(photo.size.height, side.height)
    val columns = centerCropAxis(photo.size.width, side.width)
    val pixels = ByteArray(side.width * side.height * 3)
    val row = ByteArray(photo.size.width * 3)
    for (y in 0 until rows.count) {
        photo.read(rows.start + y, 1, row)
        val into = ((rows.padBefore + y) * side.width + columns.padBefore) * 3
        System.arraycopy(row, columns.start * 3, pixels, into, columns.count * 3)
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
