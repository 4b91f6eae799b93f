"""ONNX files for ONNX Runtime. Reading order: format -> convert -> quantize; elsewhere: in other runtimes."""
