"""Room of floor 0: one file for each runtime that opens an exported file, and the Scorer on top of them.

Reading order: runtime (what a runtime file gives) -> onnxruntime (openvino), litert (weight_cache), coreml,
coreai -> scorer -> artifacts -> golden_check.
"""
