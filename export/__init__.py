"""Floor 2: a checkpoint's trip to a proved file. Imports from ``lariqa_train`` and ``lariqa``.

Reading order, the trip itself: rewrite -> formats -> proof -> quantize -> new_artifact -> pipeline; verify and
parity_matrix prove again; demo is the trip with a model made on the spot.
"""
