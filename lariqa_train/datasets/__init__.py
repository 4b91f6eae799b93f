"""Data sets with human ratings, each in the layout in which it is published, and generated data.

Reading order: rows -> koniq10k and its kind -> catalogue -> split -> views; distortions -> generated.
"""
