"""Room of floor 1: how the model learns.

Reading order: train_config -> stages -> picture_data -> losses (color), task -> qat_task -> train -> accuracy,
tables.
"""
