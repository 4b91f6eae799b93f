"""Room of floor 3: scores against people's ratings.

Reading order: evaluation -> reproduction; training_throughput, photographs.
"""
