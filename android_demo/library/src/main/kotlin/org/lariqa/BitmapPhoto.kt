package org.lariqa

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.graphics.ImageDecoder
import android.net.Uri
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import org.lariqa.core.Text
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.checkHeader
import org.lariqa.core.pixels.overWhite
import org.lariqa.core.reasonOf
import org.lariqa.core.refuse

/**
 * A decoded picture, with the sample values of the file itself, as the model was trained on them:
 *
 * - ImageDecoder turns it upright by its EXIF orientation, and refuses a truncated file.
 * - Transparency lies over white, by Pillow's arithmetic; the decoder's premultiplied values would be rounded twice.
 * - No colour management. The decoder leaves the values as stored and notes the profile in the bitmap's colour space,
 *   but [Bitmap.getPixels] would then convert them to sRGB. So the bitmap is declared to be sRGB first.
 * - Rows are read in bands: the bitmap is the only whole decoded copy, and is freed before the model runs.
 *
 * Pictures of more than 8 bits are rounded by the decoder, perhaps one level away from Python's values.
 */
class BitmapPhoto(private val bitmap: Bitmap, override val lossy: Lossy? = null) : Photo {
    override val size = PhotoSize(bitmap.width, bitmap.height)
    private var argb = IntArray(0)

    init {
        val isStored8Bit = bitmap.config == Bitmap.Config.ARGB_8888 || bitmap.config == Bitmap.Config.RGB_565
        if (isStored8Bit && bitmap.colorSpace?.isSrgb == false) bitmap.setColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
    }

    override fun read(top: Int, rows: Int, into: ByteArray) {
        val count = rows * size.width
        if (argb.size < count) argb = IntArray(count)
        bitmap.getPixels(argb, 0, size.width, 0, top, size.width, rows)
        var at = 0
        for (i in 0 until count) {
            val pixel = overWhite(argb[i])
            into[at++] = (pixel shr 16).toByte()
            into[at++] = (pixel shr 8).toByte()
            into[at++] = pixel.toByte()
        }
    }

    override fun close() = bitmap.recycle()

    companion object {
        /** Decode what a content URI names. */
        fun open(resolver: ContentResolver, uri: Uri): BitmapPhoto = decode(encoded(resolver, uri))

        fun open(file: File): BitmapPhoto = decode(encoded { file.inputStream() })

        /** The file's bytes, as they are: read whole, so that a failure to read and a failure to decode are told apart. */
        fun encoded(resolver: ContentResolver, uri: Uri): ByteBuffer =
            encoded { resolver.openInputStream(uri) ?: throw FileNotFoundException("$uri") }

        private fun encoded(open: () -> InputStream): ByteBuffer {
            val bytes = try {
                open().use { it.readBytes() }
            } catch (error: FileNotFoundException) {
                refuse(Text.PHOTO_GONE, cause = error)
            } catch (error: SecurityException) {
                refuse(Text.NO_PERMISSION, cause = error)
            } catch (error: IOException) {
                refuse(Text.DAMAGED_PHOTO, reasonOf(error), cause = error)
            }
            if (bytes.isEmpty()) refuse(Text.EMPTY_PHOTO)
            return ByteBuffer.wrap(bytes)
        }

        private fun decode(encoded: ByteBuffer): BitmapPhoto {
            var size: PhotoSize? = null
            var kind = ""
            val bitmap = try {
                ImageDecoder.decodeBitmap(ImageDecoder.createSource(encoded)) { decoder, info, _ ->
                    size = PhotoSize(info.size.width, info.size.height).also { checkHeader(it) }
                    kind = info.mimeType
                    decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE // in readable memory, not in the GPU's
                    decoder.isUnpremultipliedRequired = true
                }
            } catch (error: IOException) { // ImageDecoder.DecodeException is one
                // Before the header: no photo at all. After it: a photo that stops or breaks in the middle.
                if (size == null) refuse(Text.NOT_A_PHOTO, cause = error)
                refuse(Text.DAMAGED_PHOTO, reasonOf(error), cause = error)
            } catch (error: OutOfMemoryError) {
                refuse(Text.OUT_OF_MEMORY, size ?: "?", cause = error)
            }
            return BitmapPhoto(bitmap, LOSSY[kind])
        }

        /** A WebP or AVIF may be lossless; its header alone does not tell. */
        private val LOSSY = mapOf("image/heic" to Lossy.HEIC, "image/heif" to Lossy.HEIC) +
            listOf("image/jpeg", "image/avif", "image/webp").associateWith { Lossy.JPEG }
    }
}
