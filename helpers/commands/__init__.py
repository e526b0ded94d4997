"""The commands of the command line that need more than a line, one module each.

Standard library only: some are run before the environment exists.
"""

import sys


def say(text: str) -> None:
    """Say what a command does, or did, on stderr; stdout is for what the reader asked for."""
    print(text, file=sys.stderr, flush=True)
