"""Finds a name for what is put aside: what was put aside before keeps its own. Standard library only."""

import itertools
from pathlib import Path


def free_name(folder: Path, name: str, numbered: str) -> Path:
    """`name` in the folder if it is free, or `numbered`, such as "app.py.bak{}", with the first number from 2 on."""
    names = itertools.chain([name], (numbered.format(number) for number in itertools.count(2)))
    return next(path for each in names if not (path := folder / each).exists())
