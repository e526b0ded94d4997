"""unless() puts a refusal of AWS's in front of one of MiniStack's handlers."""

from collections.abc import Callable
from typing import Any

from .shapes import Answer


def unless(refusal: Callable[..., Answer | None], handle: Callable[..., Answer]) -> Callable[..., Answer]:
    """`handle`, but where `refusal` has an answer to the same request: then that one."""

    def handled(*request: Any, **more: Any) -> Answer:
        return refusal(*request, **more) or handle(*request, **more)

    return handled
