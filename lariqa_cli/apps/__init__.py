"""Room of floor 4: an export in the sample apps, one file per command.

Reading order: bundle_command -> web_command.
"""
