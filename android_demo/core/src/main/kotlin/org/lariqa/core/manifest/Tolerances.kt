package org.lariqa.core.manifest

import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double

/** What a model is computed in, from exact to coarse. The manifest has a tolerance for each. */
enum class Arithmetic {
    FLOAT32,
    FLOAT16,
    INT8,
    ;

    /** As the manifest writes it: `float32`. */
    val key: String get() = name.lowercase()

    companion object {
        internal fun of(key: String): Arithmetic =
            requireNotNull(entries.firstOrNull { it.key == key }) { "an unknown arithmetic, $key" }
    }
}

/** How far the golden photo's score may be from the reference, in score units, by what the device computes in. */
data class Tolerances(val float32: Double, val float16: Double, val int8: Double) {
    /**
     * The tolerance for one file.
     *
     * @param processor what the processor computes float layers in. Only a CPU computes them in float32, and there the
     *     file's own parity limit counts where it is wider.
     */
    fun of(artifact: Artifact, processor: Arithmetic): Double = when (artifact.arithmetic(processor)) {
        Arithmetic.FLOAT32 -> maxOf(float32, artifact.parityLimit ?: 0.0)
        Arithmetic.FLOAT16 -> float16
        Arithmetic.INT8 -> int8
    }

    companion object {
        internal fun read(data: JsonObject): Tolerances {
            val (float32, float16, int8) = Arithmetic.entries.map { arithmetic ->
                data.value(arithmetic.key).double.also {
                    require(it.isFinite() && it > 0) { "the tolerance for ${arithmetic.key} is $it" }
                }
            }
            return Tolerances(float32, float16, int8)
        }
    }
}
