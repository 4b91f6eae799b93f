"""Room of floor 4: ``lariqa datasets``, one file per sub-command.

Reading order: list_command, generate_command, fetch_command -> datasets_group.
"""
