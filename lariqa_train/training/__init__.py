"""Room of floor 1: how the model learns.

Reading order: train_config -> stages -> losses (color), task -> train -> accuracy, tables.
"""
