"""The checks of notebook 06."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
