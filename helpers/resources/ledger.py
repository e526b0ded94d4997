"""The ledger: a file that says what the workshop has made and not removed yet.

What is to be made is written before AWS is called and confirmed when it has answered: whatever happens between, what
exists is known. Where AWS chooses a part of the identifier, UNKNOWN is in its place until then.
"""

import contextlib
import functools
import json
import string
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import WorkshopError
from ..files.appended_file import append_line
from .tags import bears
from .types import ResourceType

# What a call of EC2 makes, as its tags name it.
EC2_TYPES = {"CreateLaunchTemplate": "launch-template", "RunInstances": "instance"}
FIELDS = ("event", "kind", "id", "place")  # of a line that counts; its time is for people
EVENTS = ("intended", "made", "removed")
UNKNOWN = "*"  # in no name that AWS allows


class LedgerError(WorkshopError):
    """The ledger cannot be read or written; the message is one sentence for the reader."""


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
        """What was made here, or may have been, and was not removed; oldest first. Raises LedgerError."""
        return [entry for entry in self._held() if UNKNOWN not in entry.id]

    def unknown(self) -> list[Entry]:
        """What may have been made here, by a call whose answer never came: each has an UNKNOWN in its identifier."""
        return [entry for entry in self._held() if UNKNOWN in entry.id]

    def intended(self, entry: Entry) -> None:
        """Enter a thing that is about to be made. Raises LedgerError: then it must not be made."""
        if entry not in self._held():
            self._append("intended", entry)

    def made(self, entry: Entry) -> None:
        """Enter a thing that is there; one that is entered as made already is not entered twice."""
        if self._held().get(entry) != "made":
            self._append("made", entry)

    def removed(self, entry: Entry) -> None:
        """Strike a thing out: it is gone, or was never made."""
        self._append("removed", entry)

    def require_writable(self) -> None:
        """Raise LedgerError where the file cannot be read and written, before anything depends on it."""
        with self._explained():
            if self.path.exists():
                self.path.open("r+b").close()

    def _held(self) -> dict[Entry, str]:
        """What is not removed, with the last event of each."""
        held: dict[Entry, str] = {}
        with self._explained():
            for line in self._lines():
                if line["place"] != self.place:
                    continue
                entry = Entry(line["kind"], line["id"])
                if line["event"] == "removed":
                    held.pop(entry, None)
                else:
                    held[entry] = line["event"]
        return held

    def _append(self, event: str, entry: Entry) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"event": event, "kind": entry.kind, "id": entry.id, "place": self.place, "time": now}
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, json.dumps(line).encode())

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LedgerError.about_file(error, self.path) from None

    def _lines(self) -> Iterable[dict[str, str]]:
        if not self.path.exists():
            return
        for number, text in enumerate(self.path.read_bytes().split(b"\n"), 1):
            line = _parse(text)
            if line is not None:
                yield line
            elif text.strip(b" \t\r\0"):
                _say_once(
                    f"Line {number} of {self.path} cannot be read and is skipped; if it held something in AWS, clean() "
                    "does not remove that: look for it there, and then delete the line."
                )


def _parse(text: bytes) -> dict[str, str] | None:
    """A line of the ledger, or None where it is not one."""
    try:
        line = json.loads(text.decode())
    except (ValueError, RecursionError):  # no JSON, or no UTF-8
        return None
    sound = isinstance(line, dict) and all(isinstance(line.get(name), str) and line[name] for name in FIELDS)
    return line if sound and line["event"] in EVENTS else None


@functools.cache
def _say_once(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Recorder:
    """Event hooks of botocore that tag what a create call makes, and enter it in the ledger before and after.

    A thing that was there before the call (CreateBucket and PutRule succeed then, too) is the workshop's if it bears
    the workshop's tags: then it is entered, should the ledger lack it. Otherwise it is somebody else's.
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
        there: list[tuple[ResourceType, Entry]] = []
        new: list[tuple[ResourceType, Entry]] = []
        for kind in kinds:
            id = _identifier(kind, model, params)
            known = UNKNOWN not in id and kind.exists(self._client(kind.service), id)
            (there if known else new).append((kind, Entry(kind.name, id)))
        self._adopt(there)
        for _kind, entry in new:
            self._ledger.intended(entry)
        context["workshop_params"] = dict(params)
        context["workshop_new"] = new
        _add_tags(params, model, self._tags)

    def _adopt(self, there: list[tuple[ResourceType, Entry]]) -> None:
        """Enter what a call would have made, all of it, if one of it bears the tags that the call would have set."""
        held = self._ledger.entries() if there else []
        lacking = [(kind, entry) for kind, entry in there if entry not in held]
        if any(bears(kind.name, self._client(kind.service), entry.id, self._tags) for kind, entry in lacking):
            for _kind, entry in lacking:
                self._ledger.made(entry)

    def _after(self, http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        new = context.get("workshop_new", [])
        # S3 says so when it has made the bucket before botocore's second try: it was not there before the first
        made = http_response.status_code < 300 or _error_code(parsed) == "BucketAlreadyOwnedByYou"
        if not made and http_response.status_code < 500:  # after a 5xx it may have been made all the same
            with contextlib.suppress(LedgerError):  # it stays entered, and clean() finds that it is not there
                for _kind, entry in new:
                    self._ledger.removed(entry)
        for kind, intended in new if made else []:
            known = context["workshop_params"] | parsed
            entry = Entry(kind.name, _identifier(kind, model, known))
            if _operation(model) == "s3.CreateBucket":  # S3 tags a bucket in a call of its own
                self._client("s3").put_bucket_tagging(Bucket=entry.id, Tagging={"TagSet": _as_list(self._tags)})
            self._ledger.made(entry)
            if entry != intended:
                self._ledger.removed(intended)


def _operation(model: Any) -> str:
    return f"{model.service_model.service_name}.{model.name}"  # e.g. "lambda.CreateFunction"


def _error_code(parsed: dict[str, Any]) -> Any:
    return parsed.get("Error", {}).get("Code")


def _identifier(kind: ResourceType, model: Any, known: dict[str, Any]) -> str:
    """The thing's identifier, with UNKNOWN for each part of it that is not known before AWS answers."""
    template = kind.made_by[_operation(model)]
    fields = [field for _, field, _, _ in string.Formatter().parse(template) if field]
    for field in fields:
        try:
            f"{{{field}}}".format_map(known)
        except KeyError:
            template = template.replace(f"{{{field}}}", UNKNOWN)
    return template.format_map(known)


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
