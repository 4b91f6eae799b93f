"""Core ML ML Programs. Reading order: format -> convert -> quantize; mil_ops -> mil_reference -> evaluator."""
