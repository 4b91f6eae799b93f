"""Room of floor 0: what an exported file promises, as data that phones read too.

Reading order: preprocess_spec -> model_config -> manifest.
"""
