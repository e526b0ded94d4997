"""join() and hand(): what a learner calls in a notebook to be in the class, and to be seen."""

from typing import Any

from ... import settings
from ...arguments import COUNT, TEXT, YES_NO, or_none, takes
from ...session import record
from ..place import place_of
from . import acts, membership


class Class:
    """The class that one is in, or may join; as the last line of a cell it shows the box for that."""

    def __init__(self, word: str = "") -> None:
        self._word = word

    def __repr__(self) -> str:
        return f"<Class: {self._status()}>"

    def _status(self) -> str:
        return acts.how_to_join(self._word) if self._word else acts.status(membership.read())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        text = {"text/plain": self._status()}
        if not record.is_on():
            return text
        from .box import Box  # widgets take a moment to load

        return {**Box(self._word).widget._repr_mimebundle_(), **text}

    @takes(count=COUNT)
    def sent(self, count: int = 20) -> None:
        """Print exactly what was sent: the last `count` entries as JSON, each with its place in your record."""
        print(acts.what_is_sent(count))

    @takes()
    def leave(self) -> None:
        """Leave the class; what it has of you is deleted there, and nothing is sent any more."""
        print(acts.leave())


@takes(word=or_none(TEXT), name=or_none(TEXT))
def join(word: str | None = None, name: str | None = None) -> Class:
    """Join the class by its word, which may have an address: join("green tiger@192.168.1.5"). Shows a box.

    `name` is what the instructor sees of you; without it the box asks for it. Without a word it is that of
    WORKSHOP_CLASS, or the class that you are in. What you do in notebooks is then sent to the instructor: sections,
    predictions and what was measured, whether checks passed and what they said, hints; never code, outputs or answers.
    The class need not be reachable: it is sent when it is.

    Raises ClassError where the class does not take you in.
    """
    text = word or settings.classroom()
    kept = membership.read()
    is_in = kept is not None and kept.is_member and (not text or kept.place == place_of(text))
    if text and not is_in:
        place_of(text)  # what is no word is refused at once
        if name:
            acts.enter(text, name)
    elif name:
        acts.rename(name)
    return Class("" if is_in or name else text)


@takes(up=YES_NO)
def hand(up: bool = True) -> None:
    """Raise your hand, so that the instructor sees it; hand(False) lowers it. Raises ClassError outside of a class."""
    print(acts.raise_hand(up))
