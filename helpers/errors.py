"""The base of the errors that a notebook can show: what went wrong and what to do, in one sentence.

Standard library only: the command line needs it before the environment exists.
"""


class WorkshopError(Exception):
    """One sentence for the reader, which a notebook shows in place of a traceback."""

    goes_on = False  # whether Run All goes on after it

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [str(self)]
