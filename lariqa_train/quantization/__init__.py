"""Room of floor 1: weights on coarse grids.

Reading order: precision -> int8_grid -> calibration -> gptq -> qat.
"""
