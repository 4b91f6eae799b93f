package org.lariqa.demo

import android.app.Activity
import android.content.ClipData
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraManager
import android.net.Uri
import android.os.Bundle
import android.view.OrientationEventListener
import android.view.TextureView
import android.view.View
import android.widget.TextView
import java.io.File
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.PhotoSize

/** Takes a burst of twelve and gives the files back; the pictures stay in the app until one is saved to the gallery. */
class CameraActivity : Activity(), TextureView.SurfaceTextureListener {
    private var camera: Camera? = null
    private var turned = 0

    /** The screen stays upright; the pictures are turned as the phone is. */
    private val turning by lazy {
        object : OrientationEventListener(this) {
            override fun onOrientationChanged(degrees: Int) {
                if (degrees != ORIENTATION_UNKNOWN) turned = (degrees + 45) / 90 * 90 % 360
            }
        }
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.camera)
        say(getString(R.string.camera_hint, PICTURES))
        requireViewById<TextureView>(R.id.preview).surfaceTextureListener = this
        requireViewById<View>(R.id.take).setOnClickListener {
            it.isEnabled = false
            camera?.burst(PICTURES, turned)
        }
        if (!allowed()) requestPermissions(arrayOf(android.Manifest.permission.CAMERA), 0)
    }

    override fun onRequestPermissionsResult(request: Int, permissions: Array<String>, results: IntArray) {
        super.onRequestPermissionsResult(request, permissions, results)
        if (allowed()) openIfReady() else problem(Text.CAMERA_REFUSED.of())
    }

    override fun onResume() {
        super.onResume()
        turning.enable()
    }

    override fun onPause() {
        turning.disable()
        super.onPause()
    }

    override fun onSurfaceTextureAvailable(surface: SurfaceTexture, width: Int, height: Int) {
        requireViewById<View>(R.id.preview).apply { layoutParams = layoutParams.apply { this.height = width * 16 / 9 } }
        openIfReady()
    }

    override fun onSurfaceTextureSizeChanged(surface: SurfaceTexture, width: Int, height: Int) = Unit

    override fun onSurfaceTextureUpdated(surface: SurfaceTexture) = Unit

    override fun onSurfaceTextureDestroyed(surface: SurfaceTexture): Boolean {
        camera?.close()
        camera = null
        return true
    }

    private fun openIfReady() {
        val texture = requireViewById<TextureView>(R.id.preview).surfaceTexture
        if (texture == null || camera != null || !allowed()) return
        val size = intent.getIntArrayExtra(SIZE)?.let { (width, height) -> PhotoSize(width, height) }
        camera = Camera(
            requireNotNull(getSystemService(CameraManager::class.java)), File(filesDir, "burst"),
            taken = { files -> runOnUiThread { taken(files) } },
            failed = { sentence -> runOnUiThread { problem(sentence) } },
        ).apply { open(texture, size) }
    }

    private fun taken(files: List<File>) {
        say(getString(R.string.camera_taken, files.size, PICTURES))
        if (files.size < PICTURES) return
        val uris = files.map { Uri.fromFile(it) }
        val clip = ClipData.newRawUri(null, uris.first())
        uris.drop(1).forEach { clip.addItem(ClipData.Item(it)) }
        setResult(RESULT_OK, Intent().apply { clipData = clip })
        finish()
    }

    private fun allowed() = checkSelfPermission(android.Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    private fun problem(sentence: Sentence) {
        requireViewById<View>(R.id.take).isEnabled = false
        say(resources.say(sentence))
    }

    private fun say(words: String) {
        requireViewById<TextView>(R.id.state).text = words
    }

    companion object {
        private const val PICTURES = 12
        private const val SIZE = "size"

        /** [takes]: the photo size that the model takes, which the camera may offer. */
        fun intent(context: Context, takes: PhotoSize?): Intent = Intent(context, CameraActivity::class.java).apply {
            takes?.let { putExtra(SIZE, intArrayOf(it.width, it.height)) }
        }
    }
}
