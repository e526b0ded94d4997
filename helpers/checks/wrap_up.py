"""The checks of notebook 18."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
