"""Room of floor 3: ARM's kernels on an emulated processor.

Reading order: debian_packages -> arm_root -> arm_runner -> arm_arithmetic.
"""
