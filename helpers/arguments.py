"""What public functions are called with: one way of checking it, and one error, whose sentence says what is wanted.

`@takes(function_name=TEXT)` refuses a call that does not fit the signature, or whose `function_name` is no TEXT.
"""

import functools
import inspect
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

from . import settings
from .errors import WorkshopError
from .webhook import without_secret

P = ParamSpec("P")
T = TypeVar("T")
SHOWN = 40  # characters of a value in a sentence


class ArgumentError(WorkshopError, ValueError, TypeError):
    """A public function was called with what it cannot take: Python's ValueError or TypeError, in one sentence."""


class FileError(WorkshopError):
    """A file of the reader's work folder cannot be used; the message is one sentence for the reader."""


class Wanted(NamedTuple):
    """What an argument has to be: in words that follow "takes", and as a test."""

    words: str
    fits: Callable[[Any], bool]


def takes(**wanted: Wanted) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A decorator: the function raises ArgumentError for a call that does not fit its signature, or one of `wanted`."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature, name = inspect.signature(function), _name(function)
        assert set(wanted) <= set(signature.parameters)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise ArgumentError(f"{name} cannot be called so: {error}; it takes {_listed(signature)}.") from None
            for parameter, want in wanted.items():
                if parameter in given and not want.fits(given[parameter]):
                    raise ArgumentError(f"{name} takes as {parameter} {want.words}, and not {shown(given[parameter])}.")
            try:
                return function(*args, **kwargs)
            except OSError as error:
                if isinstance(error, WorkshopError) or not _is_in_home(error.filename):
                    raise
                raise FileError.about_file(error, error.filename, "use") from None

        return checked

    return decorate


def shown(value: Any) -> str:
    """A value in a sentence: itself where that is short and no secret, otherwise of which type it is."""
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, str | int | float | list | tuple | dict) and len(text := without_secret(repr(value))) <= SHOWN:
        return text
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind}"


def _is_in_home(file: object) -> bool:
    """Whether a file is in the folder of what the reader makes."""
    return isinstance(file, str) and Path(file).is_relative_to(settings.home())


def _name(function: Callable[..., Any]) -> str:
    """E.g. "deploy()"; of a method "inbox.wait()"."""
    owner, _, name = function.__qualname__.rpartition(".")
    return f"{owner.lower()}.{name}()" if owner and "<" not in owner else f"{name}()"


def _listed(signature: inspect.Signature) -> str:
    """The parameters that a reader gives, e.g. "(exercise, answer=None)"."""
    shown = [each.replace(annotation=each.empty) for each in signature.parameters.values() if each.name != "self"]
    kept = [each for each in shown if each.name not in ("sleep", "clock")]
    return re.sub(r"<[^>]*>", "…", str(signature.replace(parameters=kept, return_annotation=signature.empty)))


def as_json(name: str, value: Any) -> str:
    """A value as JSON text. Raises ArgumentError, which calls it `name`, where JSON has nothing for what is in it."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"{name} cannot be written as JSON: {error}.") from None


def or_none(wanted: Wanted) -> Wanted:
    return Wanted(f"{wanted.words}, or None", lambda value: value is None or wanted.fits(value))


def one_of(*choices: str) -> Wanted:
    return Wanted(f"one of {', '.join(map(repr, choices))}", lambda value: isinstance(value, str) and value in choices)


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, type) and all(hasattr(value, name) for name in names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_logs(value: Any) -> bool:
    """A client of CloudWatch Logs: boto3's, which has the operation, or what stands in for it."""
    return _has("get_paginator")(value) and (not hasattr(value, "meta") or hasattr(value, "filter_log_events"))


def _is_true_or_not(value: Any) -> bool:
    """Whether Python can say if it is true: of a table or an array of many values it cannot."""
    try:
        bool(value)
    except (TypeError, ValueError):
        return False
    return True


def is_file_name(name: Any) -> bool:
    """Whether it names a file below a folder, with slashes between, as in a zip archive."""
    parts = name.split("/") if isinstance(name, str) else []
    return bool(parts) and not any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts)


def _is_source(value: Any) -> bool:
    return isinstance(value, Path | Mapping) or TEXT.fits(value)


WORKSHOP = Wanted("what connect() returns", _has("client", "tags"))
TEXT = Wanted("a text that is not empty", lambda value: isinstance(value, str) and bool(value.strip()))
FUNCTION_NAME = Wanted(
    "the name of a function, of letters, digits, - and _",
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"[\w:-]{1,140}", value, re.ASCII)),  # or its ARN
)


def name_of_function(reference: str) -> str:
    """The name of the function that a FUNCTION_NAME means: it may be an ARN, and name a version or an alias."""
    return (reference.partition(":function:")[2] or reference).partition(":")[0]


ANY_TEXT = Wanted("a text", lambda value: isinstance(value, str))
TEXTS = Wanted(
    "a list of texts",
    lambda value: isinstance(value, Iterable) and not isinstance(value, str | bytes) and all(map(TEXT.fits, value)),
)
TRUTH = Wanted("one condition that is true or false", _is_true_or_not)
YES_NO = Wanted("True or False", lambda value: isinstance(value, bool))
COUNT = Wanted("a whole number from 0", lambda value: _is_number(value) and isinstance(value, int) and value >= 0)
WHOLE = Wanted("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
NUMBER = Wanted("a number", _is_number)
SECONDS = Wanted("a number of seconds from 0", lambda value: _is_number(value) and value >= 0)
MOMENT = Wanted(
    "a datetime with a time zone, such as datetime.now(UTC)",
    lambda value: isinstance(value, datetime) and value.tzinfo is not None,
)
SOURCE = Wanted(
    'a folder, a file, a dict of file names and texts, or a function of the workshop such as "hello/python"', _is_source
)
CODE = Wanted(f"a zip archive as bytes, {SOURCE.words}", lambda value: isinstance(value, bytes) or _is_source(value))
LOGS = Wanted('the client of CloudWatch Logs, workshop.client("logs")', _is_logs)
CALLABLE = Wanted("a function", callable)
EXERCISE = Wanted(
    'the number of an exercise, such as "01.2" or "09"', lambda value: TEXT.fits(value) or _is_number(value)
)
NOTEBOOK = Wanted('the number of a notebook, such as "09"', lambda value: TEXT.fits(value) or COUNT.fits(value))
MESSAGE = Wanted('a dict such as {"text": "hello"}', lambda value: isinstance(value, dict))
