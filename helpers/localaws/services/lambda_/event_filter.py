"""Filters of event source mappings: which messages and records come to the function.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html. The language is EventBridge's, as MiniStack
reads it, with the operators that Lambda documents. A number of DynamoDB is text in an event, so `numeric` does not
match it; and `exists` looks at values alone, of which an attribute of DynamoDB has one below its type.
"""

import json
from collections.abc import Iterator
from typing import Any

from ministack.services import eventbridge

from ....facts import fact
from ..contract import Contract
from ..shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(eventbridge, "_compiled_pattern"): None, (eventbridge, "_matches_detail"): ("detail", "pattern")}

OPERATORS = frozenset(("anything-but", "equals-ignore-case", "exists", "numeric", "prefix", "suffix"))
MOST = fact("event_filters")


def refusal(criteria: Record | None) -> str | None:
    """Why Lambda refuses these filters, or None."""
    filters = (criteria or {}).get("Filters") or []
    if len(filters) > MOST:
        return f"The number of filters exceeds the limit of {MOST}."
    patterns = [each.get("Pattern") for each in filters]
    return None if all(map(_is_valid, patterns)) else "Invalid filter pattern definition."


def passes(record: Record, criteria: Record | None) -> bool:
    """Whether any of the filters lets a message or record pass; without one each does."""
    filters = (criteria or {}).get("Filters") or []
    seen = _seen(record)
    return not filters or any(
        eventbridge._matches_detail(seen, alternative)
        for each in filters
        for alternative in _alternatives(each.get("Pattern"))
        if _of_one_form(seen, alternative)
    )


def _is_valid(pattern: Any) -> bool:
    alternatives = _alternatives(pattern)
    return bool(alternatives) and OPERATORS.issuperset(each for one in alternatives for each in _operators(one))


def _alternatives(pattern: Any) -> list[Record]:
    """What a pattern comes to without its $or; none where it is no pattern."""
    return (eventbridge._compiled_pattern(pattern) if isinstance(pattern, str) else None) or []


def _operators(part: Any) -> Iterator[str]:
    """Every operator of a part of a pattern, where a list stands for "any of these"."""
    if isinstance(part, dict):
        for each in part.values():
            yield from _operators(each)
    elif isinstance(part, list):
        for each in part:
            yield from each if isinstance(each, dict) else ()


def _seen(record: Record) -> Record:
    """A message with its body as JSON, if it is that; a record of a stream as it is."""
    try:
        body = json.loads(record.get("body", ""))
    except (ValueError, TypeError, RecursionError):
        return record
    return {**record, "body": body} if isinstance(body, dict | list) else record


def _of_one_form(seen: Record, alternative: Record) -> bool:
    """Whether body and filter are both JSON or both plain text; else the message is dropped in any case."""
    return not (isinstance(seen.get("body"), str) and isinstance(alternative.get("body"), dict))
