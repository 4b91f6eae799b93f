package org.lariqa.core.benchmark

/** What the phone reports about itself while a measurement runs. */
interface DeviceProbe {
    val machine: MeasurementRow.Machine

    /** Proportional set size of this process. */
    fun memoryMib(): Double

    /** Processor time of this process so far, all threads. */
    fun cpuMs(): Double

    fun temperatureC(): Double?

    /** Android's name for it: none, light, moderate, severe, critical, emergency, shutdown; in that order. */
    fun thermalStatus(): String

    fun batteryPercent(): Double?

    fun onCharger(): Boolean?

    fun nowIso(): String

    /** For durations. */
    fun nanoTime(): Long = System.nanoTime()
}

/** Android's names for PowerManager.THERMAL_STATUS_0..6. */
val THERMAL_WORDS = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
