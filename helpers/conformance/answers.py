"""Writes an answer down so that it is the same on each AWS and in each run, and says how two answers differ.

Account, region and the names of what a scenario made become `<account>`, `<region>`, `<function>`, `<queue:2>` and so
on; identifiers become `<id:1>`, `<id:2>` in the order in which they come, so that the same one has the same number;
dates become `<date>`. What does not have AWS's form stays as it is, and differs.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
# Members whose values nobody can foretell, and the form that they have on AWS.
FORMS = {
    "CodeSha256": ("<sha256>", r"[A-Za-z0-9+/]{43}="),
    "Location": ("<url>", r"https?://\S+"),
    "FunctionUrl": ("<url>", r"https?://\S+/"),
    "RuntimeVersionArn": ("<runtime-version>", r"arn:aws:lambda:[a-z0-9-]+::runtime:[0-9a-f]{64}"),
    "LastModified": ("<date>", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?\+0000"),
    "CreatedDate": ("<date>", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000"),
    "CreationTime": ("<date>", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|\+0000)"),
    "LastModifiedTime": ("<date>", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|\+0000)"),
    "timestamp": ("<date>", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "eventTime": ("<date>", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "MD5OfBody": ("<md5>", r"[0-9a-f]{32}"),
    "md5OfBody": ("<md5>", r"[0-9a-f]{32}"),
    "MD5OfMessageAttributes": ("<md5>", r"[0-9a-f]{32}"),
    "md5OfMessageAttributes": ("<md5>", r"[0-9a-f]{32}"),
    "ReceiptHandle": ("<handle>", r"\S+"),
    "receiptHandle": ("<handle>", r"\S+"),
    "SentTimestamp": ("<ms>", r"\d{13}"),
    "ApproximateFirstReceiveTimestamp": ("<ms>", r"\d{13}"),
    "SenderId": ("<sender>", r"\S+"),
    "SequenceNumber": ("<sequence>", r"\d{15,}"),
    "eventID": ("<event-id>", r"[0-9a-f-]{32,36}"),
    "log_stream_name": ("<stream>", r"\d{4}/\d\d/\d\d/\[[^]]+\][0-9a-f]{32}"),
    "NextMarker": ("<marker>", r"\S+"),
}
COUNTED = {"CodeSize", "TotalCodeSize", "remaining_ms"}  # whole numbers greater than nothing


class Writer:
    """Writes down the answers of one scenario; `names` says what was made under which name, in order."""

    def __init__(self, account: str, region: str, names: Mapping[str, str]) -> None:
        self._account, self._region = account, region
        self._names = sorted(names.items(), key=lambda item: -len(item[0]))
        self._ids: dict[str, str] = {}

    def written(self, value: Any, member: str = "") -> Any:
        if isinstance(value, Mapping):
            return {self._text(key): self.written(each, key) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.written(each, member) for each in value]
        if isinstance(value, datetime):
            return "<date>"
        if isinstance(value, int) and not isinstance(value, bool) and member in COUNTED and value > 0:
            return "<size>"
        if isinstance(value, str):
            placeholder, form = FORMS.get(member, ("", ""))
            if form and re.fullmatch(form, value):
                return placeholder
            return self._text(value)
        return value

    def _text(self, text: str) -> str:
        for name, placeholder in self._names:
            text = text.replace(name, placeholder)
        text = UUID.sub(lambda found: self._numbered(found[0]), text)
        text = text.replace(self._region, "<region>") if self._region else text
        return ACCOUNT.sub(lambda found: "<account>" if found[0] == self._account else found[0], text)

    def _numbered(self, identifier: str) -> str:
        return self._ids.setdefault(identifier, f"<id:{len(self._ids) + 1}>")


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """How `found` differs from `expected`, a line for each place; a pattern stands for every text that it matches."""
    at = where or "the answer"
    if isinstance(expected, re.Pattern):
        matches = isinstance(found, str) and expected.fullmatch(found)
        return [] if matches else [f"{at}: {_shown(found)} does not match {expected.pattern}"]
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        lines = [f"{where}.{key}".lstrip(".") + " is missing" for key in expected if key not in found]
        lines += [
            f"{where}.{key}".lstrip(".") + f" is there ({_shown(found[key])})" for key in found if key not in expected
        ]
        for key in expected:
            if key in found:
                lines += differences(expected[key], found[key], f"{where}.{key}".lstrip("."))
        return lines
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            line
            for number, (one, other) in enumerate(zip(expected, found, strict=True))
            for line in differences(one, other, f"{where}[{number}]")
        ]
    # 1 is not True, as in JSON
    same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return [] if same else [f"{at}: AWS gives {_shown(expected)}, this one {_shown(found)}"]


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 400 else text[:400] + "…"
