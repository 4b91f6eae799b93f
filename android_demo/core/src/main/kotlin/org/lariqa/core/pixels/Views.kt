package org.lariqa.core.pixels

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.PreprocessSpec

/**
 * A photo of any size -> the views with these [names] as RGB bytes in direct buffers, byte for byte as Python makes them:
 * "authentic", the whole photo resized to the square of the spec; "synthetic", its centre crop, padded with black.
 *
 * The photo's rows are read once and serve both. No second copy of it is made.
 */
fun viewsOf(photo: Photo, spec: PreprocessSpec, names: Collection<String>): Map<String, ByteBuffer> {
    val views = names.associateWith { if (it == "authentic") AuthenticView(photo.size, spec) else SyntheticView(photo.size, spec) }
    val made = views.values.toList()
    photo.forEachRow(made.minOf { it.rows.first }..made.maxOf { it.rows.last }) { y, band, at ->
        for (view in made) if (y in view.rows) view.take(y, band, at)
    }
    return views.mapValues { (_, view) -> view.pixels.apply { rewind() } }
}

/** One view in the making, from the photo's rows as they come. */
private interface View {
    /** What it sees of the photo. */
    val rows: IntRange
    val pixels: ByteBuffer

    /** The row [y] of the photo, which begins at [at] in [band]. */
    fun take(y: Int, band: ByteArray, at: Int)
}

private class AuthenticView(photo: PhotoSize, spec: PreprocessSpec) : View {
    private val side = PhotoSize(spec.authenticSidePx, spec.authenticSidePx)
    override val pixels = pixelBuffer(side)
    private val resized = ResizedRows(photo, side, 0, 0, side) { pixels.put(it) }
    override val rows = resized.rows

    override fun take(y: Int, band: ByteArray, at: Int) = resized.take(y, band, at)
}

private class SyntheticView(photo: PhotoSize, spec: PreprocessSpec) : View {
    private val sidePx = spec.syntheticCropPx
    private val down = centerCropAxis(photo.height, sidePx)
    private val across = centerCropAxis(photo.width, sidePx)
    override val pixels = pixelBuffer(PhotoSize(sidePx, sidePx)) // zeros: black
    override val rows = down.start until down.start + down.count

    override fun take(y: Int, band: ByteArray, at: Int) {
        pixels.position(((down.padBefore + y - down.start) * sidePx + across.padBefore) * 3)
        pixels.put(band, at + across.start * 3, across.count * 3)
    }
}

/** RGB bytes -> planes of (pixel / 255 - mean) / std, as a `tensors` artifact takes them: (1, 3, height, width). */
fun normalise(rgb: ByteBuffer, spec: PreprocessSpec): FloatBuffer {
    val plane = rgb.capacity() / 3
    val values = ByteBuffer.allocateDirect(rgb.capacity() * 4).order(ByteOrder.nativeOrder()).asFloatBuffer()
    for (channel in 0 until 3) {
        val mean = spec.mean[channel]
        val std = spec.std[channel]
        for (i in 0 until plane) values.put(channel * plane + i, ((rgb[3 * i + channel].toInt() and 255) / 255f - mean) / std)
    }
    return values
}
