package org.lariqa.demo

import android.annotation.SuppressLint
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.params.OutputConfiguration
import android.hardware.camera2.params.SessionConfiguration
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.view.Surface
import java.io.File
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.reasonOf

/**
 * The back camera: a preview, and bursts of full pictures, written to files as they come. Needs the camera permission.
 * Callbacks come on the camera's own thread.
 */
class Camera(
    private val manager: CameraManager,
    private val folder: File,
    private val taken: (List<File>) -> Unit,
    private val failed: (Sentence) -> Unit,
) : AutoCloseable {
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var reader: ImageReader? = null
    private var sensor = 0 // degrees between it and the phone's natural orientation
    private var wanted = 0
    private val files = mutableListOf<File>()

    /** Open it and show what it sees; pictures have [size] where the camera offers that, else the most pixels it has. */
    @SuppressLint("MissingPermission") // the activity has asked
    fun open(texture: SurfaceTexture, size: PhotoSize?) = guarded {
        val id = manager.cameraIdList.firstOrNull { facesBack(it) } ?: return@guarded failed(Text.NO_CAMERA.of())
        val facts = manager.getCameraCharacteristics(id)
        val sizes = facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)?.getOutputSizes(ImageFormat.JPEG).orEmpty()
        val chosen = sizes.firstOrNull { size != null && it.width == size.width && it.height == size.height }
            ?: sizes.maxByOrNull { it.width.toLong() * it.height } ?: return@guarded failed(Text.NO_CAMERA.of())
        sensor = facts.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0
        reader = ImageReader.newInstance(chosen.width, chosen.height, ImageFormat.JPEG, FRAMES_IN_FLIGHT)
            .apply { setOnImageAvailableListener({ write(it) }, handler) }
        texture.setDefaultBufferSize(PREVIEW_WIDTH_PX, PREVIEW_HEIGHT_PX)
        manager.openCamera(id, { handler.post(it) }, opened(Surface(texture)))
    }

    /** Take [count] pictures as fast as they can be written; the phone is held turned by [turned] degrees, clockwise. */
    fun burst(count: Int, turned: Int) = guarded {
        val session = session ?: return@guarded
        val camera = device ?: return@guarded
        wanted = count
        files.clear()
        folder.mkdirs()
        val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_STILL_CAPTURE).apply {
            addTarget(reader!!.surface)
            set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
            set(CaptureRequest.JPEG_QUALITY, JPEG_QUALITY)
            set(CaptureRequest.JPEG_ORIENTATION, (sensor + turned) % FULL_TURN)
        }.build()
        session.captureBurst(List(count) { request }, null, handler)
    }

    override fun close() {
        session?.close()
        device?.close()
        reader?.close()
        thread.quitSafely()
    }

    private fun facesBack(id: String) =
        manager.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING) == CameraCharacteristics.LENS_FACING_BACK

    private fun opened(preview: Surface) = object : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) = guarded {
            device = camera
            val outputs = listOf(preview, reader!!.surface).map { OutputConfiguration(it) }
            camera.createCaptureSession(
                SessionConfiguration(SessionConfiguration.SESSION_REGULAR, outputs, { handler.post(it) }, configured(preview)),
            )
        }

        override fun onDisconnected(camera: CameraDevice) {
            camera.close()
            failed(Text.CAMERA_FAILED.of("another app took it"))
        }

        override fun onError(camera: CameraDevice, error: Int) {
            camera.close()
            failed(Text.CAMERA_FAILED.of("error $error"))
        }
    }

    private fun configured(preview: Surface) = object : CameraCaptureSession.StateCallback() {
        override fun onConfigured(made: CameraCaptureSession) = guarded {
            session = made
            val request = made.device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
                addTarget(preview)
                set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
            }
            made.setRepeatingRequest(request.build(), null, handler)
        }

        override fun onConfigureFailed(made: CameraCaptureSession) = failed(Text.CAMERA_FAILED.of("no session"))
    }

    private fun write(reader: ImageReader) = guarded {
        val image = reader.acquireNextImage() ?: return@guarded
        val file = File(folder, "burst_%d_%02d.jpg".format(java.util.Locale.ROOT, System.currentTimeMillis(), files.size + 1))
        image.use { picture ->
            val bytes = picture.planes[0].buffer
            file.outputStream().channel.use { it.write(bytes) }
        }
        files += file
        taken(files.toList())
    }

    private fun guarded(work: () -> Unit) {
        try {
            work()
        } catch (error: CameraAccessException) {
            failed(Text.CAMERA_FAILED.of(reasonOf(error)))
        } catch (error: IllegalStateException) { // closed meanwhile
            failed(Text.CAMERA_FAILED.of(reasonOf(error)))
        } catch (error: java.io.IOException) {
            failed(Text.CAMERA_FAILED.of(reasonOf(error)))
        } catch (error: SecurityException) {
            failed(Text.CAMERA_REFUSED.of())
        }
    }

    private companion object {
        const val FRAMES_IN_FLIGHT = 4 // JPEG buffers are as large as raw pictures: a dozen at once would not fit
        const val PREVIEW_WIDTH_PX = 1920
        const val PREVIEW_HEIGHT_PX = 1080
        const val JPEG_QUALITY: Byte = 97
        const val FULL_TURN = 360
    }
}
