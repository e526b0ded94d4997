"""The checks of notebook 13."""

from .exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
