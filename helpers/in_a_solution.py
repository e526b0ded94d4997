"""Imported by the notebooks in solutions/: what they solve counts for nobody, and no file of the reader is touched."""

from . import settings

settings.is_solution = True
