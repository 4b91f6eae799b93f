package org.lariqa.core

/** What the phone tells about itself while a measurement runs. */
interface Gauges {
    val machine: Measurement.Machine

    /** Proportional set size of this process. */
    fun memoryMib(): Double

    /** Processor time of this process so far, all threads. */
    fun cpuMs(): Double

    fun temperatureC(): Double?

    /** Android's word: none, light, moderate, severe, critical, emergency, shutdown; in that order. */
    fun thermalStatus(): String

    fun batteryPercent(): Double?

    fun onCharger(): Boolean?

    fun nowIso(): String

    /** For durations. */
    fun nanoTime(): Long = System.nanoTime()
}
