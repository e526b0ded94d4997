"""Pages of a list: so many items at most, and a token that names the last one, so that a new item moves no other."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class ForeignToken(ValueError):
    """A token that no answer of this list has given."""


def page(
    what: str, items: Sequence[Item], key: Callable[[Item], str], most: int, token: str | None
) -> tuple[list[Item], str | None]:
    """The items after the one that `token` names, ordered by their keys, and the next token where there are more.

    `what` is the list that is asked for: the token of another one is foreign to it. Raises ForeignToken.
    """
    ordered = sorted(items, key=key)
    if token:
        last = _named_by(what, token)
        ordered = [item for item in ordered if key(item) > last]
    found = ordered[:most]
    return found, _token(what, key(found[-1])) if len(ordered) > len(found) else None


def _token(what: str, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([what, last]).encode()).decode()


def _named_by(what: str, token: str) -> str:
    try:
        content = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except ValueError:
        raise ForeignToken from None
    if not isinstance(content, list) or len(content) != 2 or content[0] != what or not isinstance(content[1], str):
        raise ForeignToken
    return content[1]
