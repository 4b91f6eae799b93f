package org.lariqa.core.runtimes

import org.lariqa.core.manifest.Arithmetic

/** A runtime and what it computes on. What a phone really has of these, and what of it is right, its audition tells. */
enum class RuntimeChoice(
    val format: String,
    val runtime: String,
    /** As people read it. */
    val accelerator: String,
    /** What it computes float layers in. */
    val arithmetic: Arithmetic,
    /** As rows and requests name it. */
    val key: String = accelerator.lowercase(),
    /** ONNX Runtime's session config entries. */
    val sessionOptions: Map<String, String> = emptyMap(),
) {
    ONNX_CPU("onnx", "ONNX Runtime", "CPU", Arithmetic.FLOAT32),

    // The same processor with ONNX Runtime's own kernels. With KleidiAI's, versions 1.24 to 1.27 took three to four times
    // the memory on ARM (microsoft/onnxruntime#29538, #28363); what this phone's version takes, both rows show.
    ONNX_CPU_NO_KLEIDIAI(
        "onnx", "ONNX Runtime", "CPU without KleidiAI", Arithmetic.FLOAT32, key = "cpu",
        sessionOptions = mapOf(DISABLE_KLEIDIAI to "1"),
    ),
    ONNX_XNNPACK("onnx", "ONNX Runtime", "XNNPACK", Arithmetic.FLOAT32), // on the CPU, with other kernels
    LITERT_CPU("tflite", "LiteRT", "CPU", Arithmetic.FLOAT32),
    LITERT_CPU_FLOAT16("tflite", "LiteRT", "CPU float16", Arithmetic.FLOAT16, key = "xnnpack_float16"),
    LITERT_GPU("tflite", "LiteRT", "GPU", Arithmetic.FLOAT16),
    LITERT_NPU("tflite", "LiteRT", "NPU", Arithmetic.FLOAT16),
    ;

    /** Computes in float32 with the runtime's own kernels: what the exporting machine did, too. */
    val isPlainCpu: Boolean get() = this == ONNX_CPU || this == ONNX_CPU_NO_KLEIDIAI || this == LITERT_CPU

    override fun toString(): String = "$runtime, $accelerator"
}

/** ONNX Runtime's session config entry (since 1.25) that turns Arm's KleidiAI kernels off where it is "1". */
const val DISABLE_KLEIDIAI = "mlas.disable_kleidiai"
