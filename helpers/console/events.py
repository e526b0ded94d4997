"""Test events: templates are events/*.json, and the reader's own are files in events/ of the work folder."""

import json
import re
from pathlib import Path
from typing import Any

from .. import settings
from ..files.whole_file import write_whole
from .page import ConsoleError
from .strings import words

NAME = re.compile(r"[A-Za-z0-9][\w-]{0,63}", re.ASCII)


def templates() -> list[str]:
    return sorted(path.stem for path in settings.EVENTS.glob("*.json"))


def own() -> list[str]:
    return sorted(path.stem for path in _folder().glob("*.json") if NAME.fullmatch(path.stem))


def read(name: str, is_own: bool) -> str:
    """The text of an event, "" where there is none of that name."""
    if name not in (own() if is_own else templates()):
        return ""
    folder = _folder() if is_own else settings.EVENTS
    return (folder / f"{name}.json").read_text(encoding="utf-8", errors="replace")


def save(name: str, text: str) -> Path:
    """Keep an event of the reader's. Raises ConsoleError for a name that is none, or a text that is no JSON."""
    if not NAME.fullmatch(name):
        raise ConsoleError(words("test.bad_name"))
    parsed(text)
    file = _folder() / f"{name}.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text.rstrip("\n") + "\n")
    except OSError as error:
        raise ConsoleError.about_file(error, file) from None
    return file


def delete(name: str) -> None:
    if name in own():
        (_folder() / f"{name}.json").unlink(missing_ok=True)


def parsed(text: str) -> Any:
    """The event that a text is. Raises ConsoleError where it is no JSON, and says where."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ConsoleError(words("test.no_json", line=error.lineno, column=error.colno, why=error.msg)) from None
    except (ValueError, RecursionError) as error:
        raise ConsoleError(words("test.no_json", line=1, column=1, why=str(error))) from None


def _refuse(name: str) -> Any:
    raise ValueError(f"JSON has no {name}")


def _folder() -> Path:
    return settings.home() / "events"
