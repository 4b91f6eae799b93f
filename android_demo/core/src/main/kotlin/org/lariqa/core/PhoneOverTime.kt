package org.lariqa.core

import java.io.Closeable
import java.util.Collections
import kotlin.concurrent.thread

internal const val MIB = 1024.0 * 1024.0

/** Battery and heat before a measurement; with [until], before and after. */
internal class Weather(gauges: Gauges) {
    private val temperature = gauges.temperatureC()
    private val battery = gauges.batteryPercent()
    private val status = gauges.thermalStatus()

    fun until(gauges: Gauges) = Measurement.Conditions(
        temperatureC = listOfNotNull(temperature, gauges.temperatureC()),
        // The worse of both ends: the words are in the order of THERMAL_WORDS.
        thermalStatus = maxOf(status, gauges.thermalStatus(), compareBy { THERMAL_WORDS.indexOf(it) }),
        batteryPercent = listOfNotNull(battery, gauges.batteryPercent()),
        onCharger = gauges.onCharger(),
    )
}

/** Android's words for PowerManager.THERMAL_STATUS_0..6. */
val THERMAL_WORDS = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")

/** Memory over time, read by a thread of its own, so that a peak within a run is seen. */
internal class MemoryCurve(private val gauges: Gauges) : Closeable {
    private val began = gauges.nanoTime()
    private val points = Collections.synchronizedList(mutableListOf<Pair<Double, Double>>())
    private val baseline = note()
    @Volatile private var goesOn = true
    private val reader = thread(name = "memory curve", isDaemon = true) {
        while (goesOn) {
            note()
            Thread.sleep(PERIOD_MS)
        }
    }

    fun note(): Double {
        val mib = gauges.memoryMib()
        points += (gauges.nanoTime() - began) / 1e9 to mib
        return mib
    }

    override fun close() {
        goesOn = false
        reader.join()
    }

    fun finish(loaded: Double, inputMib: Double): Measurement.Memory {
        close()
        note()
        return Measurement.Memory(baseline, loaded, points.maxOf { it.second }, inputMib, points.toList())
    }

    private companion object {
        const val PERIOD_MS = 100L // Android answers from its own figure of the last seconds where asked more often
    }
}
