"""Floor 1: what the model is, and how it learns. Imports from ``lariqa``.

Reading order: model -> datasets (pictures) -> training -> quantization; demo, for want of trained weights.
"""
