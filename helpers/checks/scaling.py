"""The checks of notebook 02."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
