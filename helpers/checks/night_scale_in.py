"""The checks of notebook 12."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
