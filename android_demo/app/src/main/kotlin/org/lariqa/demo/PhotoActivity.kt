package org.lariqa.demo

import android.app.Activity
import android.content.ContentValues
import android.content.Context
import android.content.Intent
import android.graphics.RectF
import android.net.Uri
import android.os.Bundle
import android.provider.MediaStore
import android.view.View
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import android.widget.Toast
import java.io.File
import java.io.IOException
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.pixels.centerCropAxis
import org.lariqa.core.scoring.PhotoResult

/** One photo and what its score means: the scale, what each branch looked at, and what it does not say. */
class PhotoActivity : Activity() {
    private lateinit var thumbnails: Thumbnails

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        thumbnails = Thumbnails(contentResolver)
        val now = (application as LarIqaApp).viewModel.uiState
        val photo = now.results.firstOrNull { it.id == intent.getStringExtra(ID) }
        val manifest = now.manifest
        val view = now.artifact?.syntheticView
        if (photo?.score == null || manifest == null || view == null) return finish() // cleared meanwhile
        setContentView(R.layout.photo)
        show(photo, photo.score!!, manifest, now.takes, view)
        requireViewById<Button>(R.id.save).apply {
            visible(Uri.parse(photo.id).scheme == "file") // taken here; others are in the gallery already
            setOnClickListener { save(photo) }
        }
    }

    override fun onDestroy() {
        thumbnails.close()
        super.onDestroy()
    }

    private fun show(photo: PhotoResult, score: Float, manifest: Manifest, takes: PhotoSize?, view: String) {
        val scale = manifest.score
        requireViewById<TextView>(R.id.score).text =
            getString(R.string.score_on_scale, scoreText(score), "%.0f".format(scale.lowest), "%.0f".format(scale.highest))
        requireViewById<ProgressBar>(R.id.bar).apply { progress = placeOn(scale, score, max) }
        requireViewById<TextView>(R.id.meaning).text =
            listOfNotNull(scale.meaning, photo.caveat?.let { resources.say(it) }).joinToString("\n")
        val side = PhotoSize(manifest.preprocess.authenticSidePx, manifest.preprocess.authenticSidePx)
        val crop = PhotoSize(manifest.preprocess.syntheticCropPx, manifest.preprocess.syntheticCropPx)
        requireViewById<TextView>(R.id.seen).text = listOfNotNull(
            takes?.takeIf { photo.wasResampled }?.let { getString(R.string.seen_fitted, it) },
            getString(R.string.seen_whole, side).takeIf { "authentic" in manifest.branches },
            when {
                "synthetic" !in manifest.branches -> null
                view == "full" -> getString(R.string.seen_full)
                else -> getString(R.string.seen_crop, crop)
            },
        ).joinToString("\n")
        requireViewById<MarkedPhotoView>(R.id.photo).apply {
            contentDescription = getString(R.string.photo_label, photo.name)
            // A resampled photo was cropped, too, which this small picture cannot show without a second decode.
            val isMarked = view == "crop" && !photo.wasResampled && "synthetic" in manifest.branches
            marked = photo.size?.takeIf { isMarked }?.let { part(it, crop) }
            thumbnails.show(photo.id, this, SIDE_PX)
        }
    }

    private fun part(photo: PhotoSize, crop: PhotoSize): RectF {
        val columns = centerCropAxis(photo.width, crop.width)
        val rows = centerCropAxis(photo.height, crop.height)
        return RectF(
            columns.start / photo.width.toFloat(), rows.start / photo.height.toFloat(),
            (columns.start + columns.count) / photo.width.toFloat(), (rows.start + rows.count) / photo.height.toFloat(),
        )
    }

    /** Into the gallery, which since Android 10 needs no permission for what an app adds itself. */
    private fun save(photo: PhotoResult) {
        val values = ContentValues().apply {
            put(MediaStore.Images.Media.DISPLAY_NAME, photo.name)
            put(MediaStore.Images.Media.MIME_TYPE, "image/jpeg")
            put(MediaStore.Images.Media.RELATIVE_PATH, "Pictures/LarIqa")
        }
        val words = try {
            val uri = contentResolver.insert(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, values)
                ?: throw IOException("no place for it")
            val out = contentResolver.openOutputStream(uri) ?: throw IOException("no stream for it")
            out.use { to -> File(requireNotNull(Uri.parse(photo.id).path)).inputStream().use { it.copyTo(to) } }
            requireViewById<View>(R.id.save).isEnabled = false
            getString(R.string.saved)
        } catch (error: IOException) {
            getString(R.string.not_saved, error.message)
        }
        Toast.makeText(this, words, Toast.LENGTH_LONG).show()
    }

    companion object {
        private const val ID = "id"
        private const val SIDE_PX = 1200

        fun intent(context: Context, id: String): Intent = Intent(context, PhotoActivity::class.java).putExtra(ID, id)
    }
}
