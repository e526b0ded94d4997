"""The base of the errors that a notebook can show: what went wrong and what to do, in one sentence.

Standard library only: the command line needs it before the environment exists.
"""

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # no space, no quota, a file larger than the system lets it be
TAKEN = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST}  # a folder in the place of a file, or a file in that of a folder


class WorkshopError(Exception):
    """One sentence for the reader, which a notebook shows in place of a traceback."""

    goes_on = False  # whether Run All goes on after it

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [str(self)]

    @classmethod
    def about_file(cls, error: OSError, path: str | os.PathLike[str], doing: str = "write to") -> "Self":
        """Made of what the system refused about a file: "Cannot write to …; make room on its disk, …"."""
        named = error.filename if isinstance(error.filename, str) else os.fspath(path)
        where = f"Cannot {doing} {named} ({error.strerror or type(error).__name__})"
        if error.errno in FULL:
            return cls(f"{where}; make room on its disk, and try again.")
        if error.errno in TAKEN:
            return cls(
                f"{where}; something else is in its place: move it away, or set WORKSHOP_HOME to another folder."
            )
        return cls(f"{where}; give yourself the right to it, or set WORKSHOP_HOME to a folder of your own.")
