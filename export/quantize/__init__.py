"""Room of floor 2: lower precisions: which layers, which numbers, which pictures decide.

Reading order: picture_sets (in_distribution) -> stored_layers, weight_matching -> round_weights, malloc ->
allocate_bits -> quantized_export.
"""
