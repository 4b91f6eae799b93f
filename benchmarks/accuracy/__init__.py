"""Room of floor 3: scores against people's ratings.

Reading order: scored_rows -> evaluation -> reproduction; training_throughput, photographs.
"""
