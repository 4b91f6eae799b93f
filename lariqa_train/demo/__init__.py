"""Room of floor 1: the short training of `lariqa demo` on generated pictures.

Reading order: scattering -> branch_training, branch_processes -> cached_features, head_training -> demo_contents,
demo_backbones, demo_heads -> demo_training.
"""
