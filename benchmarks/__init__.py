"""Floor 3: measures any Scorer, never learns its format. Imports from ``export`` and ``lariqa_train``.

Reading order: parity.
"""
