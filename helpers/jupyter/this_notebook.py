"""Which notebook this kernel belongs to, as far as the program that opened it says. Standard library only."""

import os
import sys
from pathlib import PurePath
from typing import Any

from .. import lessons


def shell() -> Any:
    """IPython's shell of this kernel; None where there is none. What is not loaded yet is not loaded for it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def path() -> PurePath | None:
    """The file of the notebook; None outside of a notebook. Jupyter says it in a variable, VS Code among the names."""
    names = running.user_ns if (running := shell()) else {}
    told = os.environ.get("JPY_SESSION_NAME") or names.get("__vsc_ipynb_file__")
    return PurePath(told) if isinstance(told, str) and told else None


def lesson() -> lessons.Lesson | None:
    """Its lesson; None for a notebook of another kind.

    A reader's copy (04-cold-start-Copy1) and what reset() kept (04-cold-start.2026-11-30) begin as their notebook does.
    """
    opened = path()
    return next((each for each in lessons.lessons() if opened and opened.stem.startswith(each.stem)), None)
