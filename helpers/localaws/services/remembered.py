"""What a part of the server keeps that outlives it: its stores, and what is called once these are restored."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..saved_state.stores import Store


@dataclass(frozen=True)
class Remembered:
    """`resume` is called once everything is restored."""

    stores: list[Store] = field(default_factory=list)
    resume: list[Callable[[], None]] = field(default_factory=list)

    def __add__(self, other: "Remembered") -> "Remembered":
        return Remembered(self.stores + other.stores, self.resume + other.resume)
