"""The one error that means "the input or the request was wrong", as opposed to a defect of ours.

A refusal's text is one clear sentence: what was expected, what came, what to do. The command line prints it
and exits with status 2; every other exception is a bug and shows its traceback.
"""


class Refusal(ValueError):
    """An input or a request that cannot be served. ``str(refusal)`` is the sentence for the user."""
