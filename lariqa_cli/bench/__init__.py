"""Room of floor 4: ``lariqa bench``, one file per sub-command.

Reading order: bench_arguments, bench_screen -> run_command, phone_command, import_command -> bench_group.
"""
