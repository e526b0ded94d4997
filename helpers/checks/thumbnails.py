"""The checks of notebook 11."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
