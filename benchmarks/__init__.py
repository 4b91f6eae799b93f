"""Floor 3: measures any Scorer, never learns its format. Imports from ``export`` and ``lariqa_train``.

Reading order: measurement, parity, statistics -> workload, proved_export, verify -> summary, verdict,
report_parts, report_tables, work_tables, svg, plots, report -> matching, compare.
"""
