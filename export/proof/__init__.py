"""Room of floor 2: does a file give PyTorch's score.

Reading order: proof_photos -> parity; memory_model.
"""
