"""Writes the review: pages of one's own session, in one folder that needs no server and no network.

    session.py    reads what is kept: the record, the progress, the notebooks, the files of labs
    notebooks.py  reads one notebook: sections, cells, outputs, pictures
    way.py        the way and the minutes           guesses.py  predictions beside measurements
    answers.py    each exercise, as it was done     again.py    the five things to look at again
    pages.py      puts them into templates/, and writes the folder

What anybody typed or a function said is text in a page, never markup (markup.py, harmless.py), and no secret is in it
(../masks.py). The pages hold their pictures and style sheet themselves, have no script, and forbid themselves to load
anything.
"""

from .pages import ReviewError, write

__all__ = ["ReviewError", "write"]
