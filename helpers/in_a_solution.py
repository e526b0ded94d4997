"""Imported by the notebooks in solutions/: what they solve counts for nobody, and the reader's files stay as they are."""

from . import settings

settings.is_solution = True
