"""Core ML ML Programs.

Reading order: format -> convert (temporary) -> quantize; mil_ops -> mil_reference -> evaluator.
"""
