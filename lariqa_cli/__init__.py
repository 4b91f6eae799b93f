"""Floor 4: the commands. Each parses, calls one function of a floor below, and prints.

One file per command, ``<command>_command.py``; ``main.py`` puts them together. Imports of anything heavy stand inside
the commands, after the checks that need none: ``lariqa --help`` and a wrong path are answered at once, and not after
the seconds that importing torch takes.

Reading order: screen, arguments, proofs -> the commands -> main.
"""
