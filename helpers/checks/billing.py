"""The checks of notebook 03."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
