"""Room of floor 3: what people run without this toolkit.

Reading order: torchvision_reference, naive_export, surrogate_encoders -> baselines; quoted.
"""
