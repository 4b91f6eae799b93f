"""Room of floor 3: one model, one process, one row.

Reading order: measurement -> candidate, participants -> family, memory, worker, interleaved -> rows; macs,
time_profile, machine_limit, conditions, validity, first_divergence; statistics.
"""
