"""Runs the embedded AWS in the foreground; `python3 -m helpers start` does so in the background."""

import sys

from .server import main

sys.exit(main(sys.argv[1:]))
