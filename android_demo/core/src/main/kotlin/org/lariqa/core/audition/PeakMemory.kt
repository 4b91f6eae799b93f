package org.lariqa.core.audition

import kotlin.concurrent.thread

/** The memory of this process from now until it is closed, read by a thread of its own; null where nothing tells it. */
internal class PeakMemory(private val memoryMib: (() -> Double)?) : AutoCloseable {
    val baselineMib: Double? = memoryMib?.invoke()
    @Volatile var peakMib: Double? = baselineMib
        private set
    @Volatile private var goesOn = true
    private val reader = memoryMib?.let {
        thread(name = "peak memory", isDaemon = true) {
            while (goesOn) {
                sample()
                Thread.sleep(PERIOD_MS)
            }
        }
    }

    @Synchronized
    private fun sample() {
        val now = memoryMib?.invoke() ?: return
        peakMib = maxOf(peakMib ?: now, now)
    }

    override fun close() {
        if (!goesOn) return
        sample()
        goesOn = false
        reader?.join()
    }

    private companion object {
        const val PERIOD_MS = 100L // asked more often, Android repeats its figure of the last seconds
    }
}
