"""Floor 2: the same model rewritten, written down, and opened again. Imports only from ``lariqa_train``.

Reading order: fused_kan, pillow_resize, two_stage_mean, mobile_blocks, execution_plan
(live_bytes, memory_model), lean_net -> export_ready -> artifact -> to_onnx, to_coreml, to_tflite ->
run_torch, run_onnx, run_coreml (mil_reference), run_tflite -> scorer -> formats. Below float32: precision ->
fold_batch_norm, rounding, match_weights, int8_weights -> quantize_onnx, quantize_coreml, quantize_tflite.
"""
