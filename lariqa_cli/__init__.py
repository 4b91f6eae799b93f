"""Floor 4: the commands. Each parses, calls one function of a floor below, and prints.

One file per command, ``<command>_command.py``; a command with sub-commands has a folder. ``main.py`` puts them
together. Heavy imports are inside the commands, after the checks that do not need them: ``lariqa --help`` and a wrong
path are answered at once, without the seconds that importing torch takes.

Reading order: screen, arguments, proofs -> the commands; apps, bench, datasets -> main.
"""
