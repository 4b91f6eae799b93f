"""Floor 3: measures any Scorer, whatever its format. Imports from ``export`` and the floors below.

Reading order: measure -> baselines -> suite -> report; phones, arm, accuracy.
"""
