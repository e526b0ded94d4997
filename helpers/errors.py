"""The base of the errors that a notebook can show: what went wrong and what to do, in one sentence.

Standard library only: the command line needs it before the environment exists.
"""

import errno
import os

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, no quota, a file larger than the system lets it be


class WorkshopError(Exception):
    """One sentence for the reader, which a notebook shows in place of a traceback."""

    goes_on = False  # whether Run All goes on after it

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [str(self)]


def about_file(error: OSError, path: str | os.PathLike[str]) -> str:
    """What the system refused about a file and what to do, as one sentence: "Cannot write to …; make room …"."""
    named = error.filename if isinstance(error.filename, str) else path
    where = f"{os.fspath(named)} ({error.strerror or type(error).__name__})"
    if error.errno in FULL:
        return f"Cannot write to {where}; make room on its disk, and try again."
    return (
        f"Cannot read and write {where}; give yourself the right to it, or set WORKSHOP_HOME to a folder of your own."
    )
