"""Core ML ML Programs.

Reading order: format -> convert (temporary) -> quantize (half_operations); mil_ops -> mil_reference -> evaluator.
"""
