package org.lariqa.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.ImageDecoder
import android.net.Uri
import android.os.Handler
import android.os.Looper
import android.util.LruCache
import android.widget.ImageView
import java.io.IOException
import java.util.concurrent.Executors
import org.lariqa.BitmapPhoto
import org.lariqa.core.Refusal

/** Small pictures for the screen, decoded at their size, away from the main thread. They never reach the model. */
class Thumbnails(private val resolver: ContentResolver) : AutoCloseable {
    private val worker = Executors.newSingleThreadExecutor { Thread(it, "thumbnails") }
    private val main = Handler(Looper.getMainLooper())
    private val made = object : LruCache<String, Bitmap>(CACHE_BYTES) {
        override fun sizeOf(key: String, value: Bitmap): Int = value.allocationByteCount
    }

    /** Show a photo in a view, about [sidePx] wide, as soon as it is there; a view that is used again shows only its last. */
    fun show(id: String, view: ImageView, sidePx: Int) {
        val key = "$sidePx $id"
        view.tag = key
        val there = made.get(key)
        view.setImageBitmap(there)
        if (there != null) return
        worker.execute {
            val bitmap = decode(id, sidePx) ?: return@execute
            main.post {
                made.put(key, bitmap)
                if (view.tag == key) view.setImageBitmap(bitmap)
            }
        }
    }

    /** Null where it cannot be decoded: the row's sentence says why. */
    private fun decode(id: String, sidePx: Int): Bitmap? = try {
        ImageDecoder.decodeBitmap(ImageDecoder.createSource(BitmapPhoto.encoded(resolver, Uri.parse(id)))) { decoder, info, _ ->
            decoder.setTargetSampleSize((maxOf(info.size.width, info.size.height) / sidePx).coerceAtLeast(1))
            decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
        }
    } catch (_: IOException) {
        null
    } catch (_: Refusal) {
        null
    }

    override fun close() {
        worker.shutdownNow()
    }

    private companion object {
        const val CACHE_BYTES = 24 shl 20
    }
}
