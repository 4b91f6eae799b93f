package org.lariqa.core.scoring

import org.lariqa.core.manifest.Arithmetic

/** A runtime and what it computes on. */
enum class RuntimeChoice(
    val format: String,
    val runtime: String,
    val accelerator: String,
    /** What it computes float layers in. */
    val arithmetic: Arithmetic,
) {
    ONNX_CPU("onnx", "ONNX Runtime", "CPU", Arithmetic.FLOAT32),
    ONNX_XNNPACK("onnx", "ONNX Runtime", "XNNPACK", Arithmetic.FLOAT32), // on the CPU, with other kernels
    LITERT_CPU("tflite", "LiteRT", "CPU", Arithmetic.FLOAT32),
    LITERT_GPU("tflite", "LiteRT", "GPU", Arithmetic.FLOAT16), // so does LiteRT's GPU delegate by default
    ;

    override fun toString(): String = "$runtime, $accelerator"
}
