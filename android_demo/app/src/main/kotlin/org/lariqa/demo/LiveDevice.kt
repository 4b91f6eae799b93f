package org.lariqa.demo

import android.app.ActivityManager
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import android.os.Process
import java.time.Instant
import java.time.temporal.ChronoUnit
import org.lariqa.LarIqa
import org.lariqa.core.benchmark.DeviceProbe
import org.lariqa.core.benchmark.MeasurementRow
import org.lariqa.core.benchmark.THERMAL_WORDS

/** What an app may know about the phone without any permission. */
class LiveDevice(private val context: Context) : DeviceProbe {
    override val machine: MeasurementRow.Machine
        get() {
            val memory = ActivityManager.MemoryInfo()
            service(ActivityManager::class.java).getMemoryInfo(memory)
            return MeasurementRow.Machine(
                model = "${Build.MANUFACTURER} ${Build.MODEL}",
                system = "Android ${Build.VERSION.RELEASE} (API ${Build.VERSION.SDK_INT})",
                cores = Runtime.getRuntime().availableProcessors(),
                memoryMib = memory.totalMem / MIB,
            )
        }

    override fun memoryMib(): Double = LarIqa.memoryMib()

    override fun cpuMs(): Double = Process.getElapsedCpuTime().toDouble()

    /** The battery's: the only temperature that an app may read. */
    override fun temperatureC(): Double? =
        battery()?.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, Int.MIN_VALUE)?.takeIf { it != Int.MIN_VALUE }?.let { it / 10.0 }

    override fun thermalStatus(): String =
        THERMAL_WORDS.getOrElse(service(PowerManager::class.java).currentThermalStatus) { "" }

    override fun batteryPercent(): Double? {
        val battery = battery() ?: return null
        val level = battery.getIntExtra(BatteryManager.EXTRA_LEVEL, -1)
        val full = battery.getIntExtra(BatteryManager.EXTRA_SCALE, -1)
        return if (level >= 0 && full > 0) 100.0 * level / full else null
    }

    override fun onCharger(): Boolean? =
        battery()?.getIntExtra(BatteryManager.EXTRA_PLUGGED, -1)?.takeIf { it >= 0 }?.let { it != 0 }

    override fun nowIso(): String = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString()

    private fun battery(): Intent? = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))

    private fun <T : Any> service(kind: Class<T>): T = requireNotNull(context.getSystemService(kind)) { "no ${kind.simpleName}" }

    private companion object {
        const val MIB = 1024.0 * 1024.0
    }
}
