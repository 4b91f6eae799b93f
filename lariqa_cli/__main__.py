"""``python -m lariqa_cli``: the command line where no ``lariqa`` is on the path."""

from lariqa_cli.main import main

main()
