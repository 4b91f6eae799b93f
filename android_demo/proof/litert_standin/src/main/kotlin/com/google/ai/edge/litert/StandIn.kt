// The part of LiteRT 2.x's Kotlin API that the app calls, written after its published reference
// (developers.google.com/edge/api/litert/kotlin). The real classes are on Google's Maven alone. Here every call ends as it
// would on a phone without the library: nothing computes.

package com.google.ai.edge.litert

/** What a model runs on. */
enum class Accelerator { NONE, CPU, GPU, NPU }

class LiteRtException(message: String) : Exception(message)

abstract class JniHandle internal constructor() : AutoCloseable {
    final override fun close() = Unit
}

class Environment private constructor() : JniHandle() {
    companion object {
        @JvmStatic
        fun create(): Environment = noLibrary()
    }
}

class TensorBuffer private constructor() : JniHandle() {
    fun writeFloat(data: FloatArray): Unit = noLibrary(data.size)

    fun writeInt8(data: ByteArray): Unit = noLibrary(data.size)

    fun readFloat(): FloatArray = noLibrary()
}

class CompiledModel private constructor() : JniHandle() {
    data class CpuOptions(
        val numThreads: Int? = null,
        val xnnPackFlags: Int? = null,
        val xnnPackWeightCachePath: String? = null,
    )

    class Options(vararg val accelerators: Accelerator) {
        var cpuOptions: CpuOptions? = null
    }

    fun createInputBuffer(inputName: String, signature: String? = null): TensorBuffer = noLibrary(inputName, signature)

    fun createOutputBuffer(outputName: String, signature: String? = null): TensorBuffer = noLibrary(outputName, signature)

    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String? = null): Unit =
        noLibrary(inputs, outputs, signature)

    companion object {
        @JvmStatic
        fun create(filePath: String, options: Options, optionalEnv: Environment? = null): CompiledModel =
            noLibrary(filePath, options, optionalEnv)
    }
}

private fun noLibrary(vararg given: Any?): Nothing =
    throw UnsatisfiedLinkError("no litert_jni: this is a stand-in for LiteRT's classes (${given.size} arguments)")
