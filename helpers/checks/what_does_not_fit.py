"""The checks of notebook 15."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
