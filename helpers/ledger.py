"""The ledger: a file that says what the workshop has made and not removed yet, written as AWS confirms it."""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from .resource_types import ResourceType

# What a call of EC2 makes, as its tags name it.
EC2_TYPES = {"CreateLaunchTemplate": "launch-template", "RunInstances": "instance"}
FIELDS = ("event", "kind", "id", "place")  # of a line that counts; its time is for people


class Entry(NamedTuple):
    """One thing in AWS."""

    kind: str  # e.g. "function"
    id: str  # e.g. "ada-hello"


@dataclass(frozen=True)
class Ledger:
    """The entries of one place in `path`, a file of JSON lines that is only ever appended to.

    `place` names an AWS and a region, e.g. "embedded http://127.0.0.1:4566 us-east-1", so that what was
    made in one is never looked for in another. No line holds an account id or a secret.
    """

    path: Path
    place: str

    def entries(self) -> list[Entry]:
        """What was made here and not removed, oldest first."""
        standing: dict[Entry, None] = {}
        for line in self._lines():
            if line["place"] != self.place:
                continue
            entry = Entry(line["kind"], line["id"])
            if line["event"] == "made":
                standing[entry] = None
            else:
                standing.pop(entry, None)
        return list(standing)

    def made(self, entry: Entry) -> None:
        """Enter a thing; a thing that stands already is not entered twice."""
        if entry not in self.entries():
            self._append("made", entry)

    def removed(self, entry: Entry) -> None:
        """Strike a thing out."""
        self._append("removed", entry)

    def _append(self, event: str, entry: Entry) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"event": event, "kind": entry.kind, "id": entry.id, "place": self.place, "time": now}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # One short write in append mode: two notebooks that run at once do not tear each other's lines.
        with self.path.open("a+b") as file:
            file.write(b"\n" * _is_torn(file) + json.dumps(line).encode() + b"\n")

    def _lines(self) -> Iterable[dict[str, str]]:
        if not self.path.exists():
            return
        for number, text in enumerate(self.path.read_bytes().split(b"\n"), 1):
            line = _parse(text)
            if line is not None:
                yield line
            elif text.strip():
                _say_once(
                    f"Line {number} of {self.path} cannot be read and is skipped; if it held something in AWS, "
                    "clean() does not remove that: look for it there, and then delete the line."
                )


def _parse(text: bytes) -> dict[str, str] | None:
    """A line of the ledger, or None where it is not one."""
    try:
        line = json.loads(text.decode())
    except ValueError:  # no JSON, or no UTF-8
        return None
    sound = isinstance(line, dict) and all(isinstance(line.get(name), str) for name in FIELDS)
    return line if sound and line["event"] in ("made", "removed") else None


def _is_torn(file: BinaryIO) -> bool:
    """Whether the last line has no end, as when the disk was full, so that the next must not be added to it."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read() != b"\n"


@functools.cache
def _say_once(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Recorder:
    """Event hooks of botocore that tag what a create call makes, and enter it in the ledger.

    A thing that was there before the call (CreateBucket and PutRule succeed then, too) is not the
    workshop's and is not entered.
    """

    def __init__(
        self, ledger: Ledger, kinds: Iterable[ResourceType], tags: dict[str, str], client: Callable[[str], Any]
    ) -> None:
        self._ledger = ledger
        self._tags = tags
        self._client = client
        self._makers: dict[str, list[ResourceType]] = {}
        for kind in kinds:
            for operation in kind.made_by:
                self._makers.setdefault(operation, []).append(kind)

    def register(self, events: Any) -> None:
        """Hook into a botocore session, before any of its clients is made."""
        events.register("before-parameter-build", self._before)
        events.register("after-call", self._after)

    def _before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        kinds = self._makers.get(_operation(model), [])
        if not kinds:
            return
        there = [
            kind
            for kind in kinds
            if (id := _identifier(kind, model, params)) and kind.exists(self._client(kind.service), id)
        ]
        context["workshop_params"] = dict(params)
        context["workshop_new"] = [kind for kind in kinds if kind not in there]
        _add_tags(params, model, self._tags)

    def _after(self, http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        if http_response.status_code >= 300:
            return
        for kind in context.get("workshop_new", []):
            known = context["workshop_params"] | parsed
            self._ledger.made(Entry(kind.name, kind.made_by[_operation(model)].format_map(known)))
            if _operation(model) == "s3.CreateBucket":  # S3 tags a bucket in a call of its own
                self._client("s3").put_bucket_tagging(Bucket=known["Bucket"], Tagging={"TagSet": _as_list(self._tags)})


def _operation(model: Any) -> str:
    return f"{model.service_model.service_name}.{model.name}"  # e.g. "lambda.CreateFunction"


def _identifier(kind: ResourceType, model: Any, known: dict[str, Any]) -> str | None:
    """The thing's identifier, or None while a part of it is not known before AWS answers."""
    try:
        return kind.made_by[_operation(model)].format_map(known)
    except KeyError:
        return None


def _add_tags(params: dict[str, Any], model: Any, tags: dict[str, str]) -> None:
    """Add `tags` where the call takes tags, keeping the caller's own.

    Services disagree on the form: a dict (Lambda, SQS, Logs), a list of Key and Value (IAM, SNS, DynamoDB), or of
    key and value (Step Functions).
    """
    members = model.input_shape.members
    if model.name in EC2_TYPES:
        _add_ec2_tags(params, EC2_TYPES[model.name], tags)
        return
    name = next((name for name in ("Tags", "tags") if name in members), None)
    if name is None:
        return
    if members[name].type_name == "map":
        params[name] = tags | dict(params.get(name) or {})
    else:
        given = list(params.get(name) or [])
        key, value = ("key", "value") if "key" in members[name].member.members else ("Key", "Value")
        keys = {tag[key] for tag in given}
        params[name] = given + [{key: each, value: text} for each, text in tags.items() if each not in keys]


def _add_ec2_tags(params: dict[str, Any], type: str, tags: dict[str, str]) -> None:
    """EC2 takes tags for each type of thing that a call makes."""
    given: list[dict[str, Any]] = list(params.get("TagSpecifications") or [])
    none: dict[str, Any] = {"Tags": []}
    mine = next((each for each in given if each["ResourceType"] == type), none)
    own = {tag["Key"]: tag["Value"] for tag in mine["Tags"]}
    rest = [each for each in given if each is not mine]
    params["TagSpecifications"] = [*rest, {"ResourceType": type, "Tags": _as_list(tags | own)}]


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
