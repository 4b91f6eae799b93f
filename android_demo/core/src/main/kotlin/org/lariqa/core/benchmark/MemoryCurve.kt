package org.lariqa.core.benchmark

import java.io.Closeable
import java.util.Collections
import kotlin.concurrent.thread

internal const val MIB = 1024.0 * 1024.0

/** Memory over time, read by a thread of its own, so that a peak within a run is seen. */
internal class MemoryCurve(private val probe: DeviceProbe) : Closeable {
    private val began = probe.nanoTime()
    private val points = Collections.synchronizedList(mutableListOf<Pair<Double, Double>>())
    private val baseline = sample()
    @Volatile private var goesOn = true
    private val reader = thread(name = "memory curve", isDaemon = true) {
        while (goesOn) {
            sample()
            Thread.sleep(PERIOD_MS)
        }
    }

    fun sample(): Double {
        val mib = probe.memoryMib()
        points += (probe.nanoTime() - began) / 1e9 to mib
        return mib
    }

    override fun close() {
        goesOn = false
        reader.join()
    }

    fun finish(loaded: Double, inputMib: Double): MeasurementRow.Memory {
        close()
        sample()
        return MeasurementRow.Memory(baseline, loaded, points.maxOf { it.second }, inputMib, points.toList())
    }

    private companion object {
        const val PERIOD_MS = 100L // asked more often, Android repeats its figure of the last seconds
    }
}
