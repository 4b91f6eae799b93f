package org.lariqa.demo

import android.Manifest
import android.content.pm.PackageManager
import android.view.View
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Text
import org.robolectric.Shadows.shadowOf

class CameraActivityTest : AppTest() {
    @Test
    fun `it asks for the camera, and a refusal is a sentence that names a way around it`() {
        val activity = open<CameraActivity>().get()
        assertEquals(listOf(Manifest.permission.CAMERA), shadowOf(activity).lastRequestedPermission.requestedPermissions.toList())
        activity.onRequestPermissionsResult(0, arrayOf(Manifest.permission.CAMERA), intArrayOf(PackageManager.PERMISSION_DENIED))
        assertEquals(Text.CAMERA_REFUSED.english, activity.words(R.id.state))
        assertTrue(!activity.requireViewById<View>(R.id.take).isEnabled)
    }

    @Test
    fun `a device without a camera says so`() {
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
        val activity = open<CameraActivity>().get()
        activity.onSurfaceTextureAvailable(android.graphics.SurfaceTexture(0), 100, 100)
        Camera(
            activity.getSystemService(android.hardware.camera2.CameraManager::class.java)!!, app.cacheDir,
            taken = {}, failed = { sentence -> said = "$sentence" },
        ).use { it.open(android.graphics.SurfaceTexture(0), null) }
        assertEquals(Text.NO_CAMERA.english, said)
    }

    private var said = ""
}
