package org.lariqa.core.benchmark

/** Battery and heat when a measurement starts; [until] adds those at its end. */
internal class ConditionsAtStart(probe: DeviceProbe) {
    private val temperature = probe.temperatureC()
    private val battery = probe.batteryPercent()
    private val status = probe.thermalStatus()

    fun until(probe: DeviceProbe) = MeasurementRow.Conditions(
        temperatureC = listOfNotNull(temperature, probe.temperatureC()),
        // The worse of both ends: the words are in the order of THERMAL_WORDS.
        thermalStatus = maxOf(status, probe.thermalStatus(), compareBy { THERMAL_WORDS.indexOf(it) }),
        batteryPercent = listOfNotNull(battery, probe.batteryPercent()),
        onCharger = probe.onCharger(),
    )
}
