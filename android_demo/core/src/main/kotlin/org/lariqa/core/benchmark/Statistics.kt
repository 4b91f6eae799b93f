package org.lariqa.core.benchmark

/** Order statistics of repeated measurements, in the unit of the samples. */
data class Statistics(
    val n: Int,
    val min: Double,
    val p50: Double,
    val p90: Double,
    val p95: Double,
    val p99: Double,
    val max: Double,
    val mean: Double,
) {
    companion object {
        /** Percentiles by linear interpolation between the two nearest ranks, as numpy's default. */
        fun of(samples: List<Double>): Statistics {
            require(samples.isNotEmpty()) { "no samples" }
            val sorted = samples.sorted()
            fun percentile(p: Double): Double {
                val at = (sorted.size - 1) * p / 100
                val below = at.toInt()
                val above = minOf(below + 1, sorted.size - 1)
                return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
            }
            return Statistics(
                samples.size, sorted.first(), percentile(50.0), percentile(90.0), percentile(95.0), percentile(99.0),
                sorted.last(), samples.average(),
            )
        }
    }
}
