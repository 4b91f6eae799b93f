package org.lariqa.demo
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35])
class ProbeTest {
    @Test fun probe() {
        val a = Robolectric.buildActivity(ProbeActivity::class.java).setup().get()
        val v = a.window.decorView
        val b = android.graphics.Bitmap.createBitmap(v.width, v.height, android.graphics.Bitmap.Config.ARGB_8888)
        v.draw(android.graphics.Canvas(b))
        java.io.FileOutputStream("/tmp/team/android/probe.png").use { b.compress(android.graphics.Bitmap.CompressFormat.PNG, 100, it) }
        println("SIZE ${v.width} ${v.height}")
    }
}
