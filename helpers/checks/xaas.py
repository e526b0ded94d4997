"""The checks of notebook 08."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
