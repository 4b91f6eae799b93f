"""Room of floor 1: generated pictures and known damage.

Reading order: scenes -> damage -> distortions.
"""
