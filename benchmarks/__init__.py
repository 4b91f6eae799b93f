"""Floor 3: measures any Scorer, never learns its format. Imports from ``export`` and ``lariqa_train``.

Reading order:
    parity -> proved_export, verify, parity_matrix       a file is proved when it is written, and again
    mixed_precision -> lowered_export                    below float32: levels chosen, file judged
    measurement                                          the row: all that is measured, and all that a report is made of
    workload, candidate, participants, baselines             who is measured, on what
    worker, memory, turns -> rows -> suite               how: a process each, in turns
    macs, time_profile, machine_limit, conditions, validity, first_divergence       what else a row says
    report_folder, statistics, summary, verdict -> report                  rows -> figures -> sentences -> a page
    compare                                              two reports
    adb, phone, phone_rows; arm_root, arm_arithmetic     phones, and ARM without one
"""
