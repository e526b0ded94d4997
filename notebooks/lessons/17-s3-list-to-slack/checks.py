"""The checks of notebook 17: a policy for a function that counts, and one that posts the list of all objects."""

import json
import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from helpers.connect import Workshop
from helpers.deploying.s3_triggers import UPLOADS, make_bucket
from helpers.exercises import diagnosis
from helpers.exercises.diagnosis import Outcome
from helpers.exercises.exercise import DeployedFunction, NotSolved
from helpers.exercises.lab import labs
from helpers.exercises.lab_probe import probe_of
from helpers.exercises.probe import SLACK_NOTE, Probe, s3_event, unique
from helpers.resources.cleanup import remove
from helpers.resources.ledger import Entry

from .narrow import judge_role
from .wrong_answers import WRONG_ANSWERS, WRONG_POLICIES

LAB = labs()["17"]
FEW = 50  # objects, whose keys fit into one message: enough to see one message for each key
MANY = 1_001  # one more than a page of ListObjectsV2 holds
MOST_CHARACTERS = (
    3_000  # what Slack shows of a block; a plain text may be longer, but is cut as well
)
MORE_MESSAGES = 2  # than hold the keys alone: there may be titles
UPLOADS_AT_ONCE = 16


# 17.1


def judge_policy(workshop: Workshop) -> list[str]:
    with bucket_of_the_check(workshop, f"{UPLOADS}-check-role") as bucket:
        return judge_role(workshop, workshop.name("count-objects"), bucket)


# 17.2


def judge_list(workshop: Workshop) -> list[str]:
    with probe_of(workshop, LAB) as probe:
        with bucket_of_the_check(workshop) as bucket:
            empty = probe.succeed(
                s3_event(bucket, "gone"),
                f"for an empty bucket, {bucket}",
                diagnosis.of_empty_bucket,
            )
            lists_the_bucket_of_the_event(probe, bucket)
            _returned(empty, 0)
            if probe.sees_messages:
                probe.fails_with_the_webhook(s3_event(bucket, "any"))
            puts_many_keys_into_a_message(probe, bucket)
        keys = [f"k{number:04}" for number in range(MANY)]
        with bucket_of_keys(workshop, keys) as bucket:
            lists_more_than_a_page(probe, bucket, keys)
        return [] if probe.sees_messages else [SLACK_NOTE]


def lists_the_bucket_of_the_event(probe: Probe, bucket: str) -> None:
    keys = [f"check {unique()} + 日本語.txt", f"check/{unique()}"]
    _put(probe.workshop, bucket, keys)
    outcome = probe.succeed(
        s3_event(bucket, keys[0]), f"for a bucket with two objects, {bucket}"
    )
    if outcome.posts is not None and not all(key in _together(outcome) for key in keys):
        own = probe.workshop.bucket(UPLOADS)
        raise NotSolved(
            f"The event was about the bucket {bucket}, and the message does not list its objects; "
            f"list the bucket that the event names, not always {own}."
        )
    _returned(outcome, len(keys))


def puts_many_keys_into_a_message(probe: Probe, bucket: str) -> None:
    """NotSolved when each key has a message of its own; found with few, so that the channel is not flooded."""
    keys = [f"k{number:04}" for number in range(FEW - 2)]  # beside those two
    _put(probe.workshop, bucket, keys)
    outcome = probe.succeed(
        s3_event(bucket, keys[0]), f"for a bucket with {FEW} objects"
    )
    messages = _messages(outcome)
    if isinstance(messages, int) and messages >= FEW:
        raise NotSolved(
            f"It posted {messages:,} messages, one for each key; put as many lines into a message as "
            f"{MOST_CHARACTERS:,} characters hold: Slack takes about one message a second."
        )


def lists_more_than_a_page(probe: Probe, bucket: str, keys: list[str]) -> None:
    outcome = probe.succeed(
        s3_event(bucket, keys[0]), f"for a bucket with {MANY:,} objects"
    )
    if outcome.posts is not None:
        _whole_list(probe, keys, outcome)
        _short_messages(outcome)
    _returned(outcome, MANY, probe)
    _few_messages(keys, outcome)


def _whole_list(probe: Probe, keys: list[str], outcome: Outcome) -> None:
    listed = set(re.findall(r"k\d{4}", _together(outcome)))
    missing = [key for key in keys if key not in listed]
    if missing == keys[-len(missing) :] and 0 < len(missing) <= MANY - 1_000:
        raise NotSolved(_first_page(probe))
    if missing:
        raise NotSolved(
            f"The messages lack {len(missing):,} of {MANY:,} keys, {missing[0]!r} among them; "
            "where a list is long, split it at line ends, one key to a line, and post every part."
        )


def _short_messages(outcome: Outcome) -> None:
    longest = max(map(len, outcome.texts))
    if longest > MOST_CHARACTERS:
        raise NotSolved(
            f"One message has {longest:,} characters, and Slack cuts long ones; "
            f"post the list in several messages of at most {MOST_CHARACTERS:,} characters each."
        )


def _few_messages(keys: list[str], outcome: Outcome) -> None:
    messages = _messages(outcome)
    least = math.ceil(sum(len(key) + 1 for key in keys) / MOST_CHARACTERS)
    if isinstance(messages, int) and messages > least + MORE_MESSAGES:
        raise NotSolved(
            f"The list of {len(keys):,} objects came in {messages:,} messages, and {least} of "
            f"{MOST_CHARACTERS:,} characters hold it; fill each message before you begin the next."
        )


def _returned(outcome: Outcome, objects: int, probe: Probe | None = None) -> None:
    payload, messages = _payload(outcome), _messages(outcome)
    if probe and payload.get("objects") == 1_000:
        raise NotSolved(_first_page(probe))
    if payload != {"objects": objects, "messages": messages} or messages is None:
        raise NotSolved(
            f"The handler returned {json.dumps(outcome.payload)[:150]} for {objects:,} objects; "
            'return {"objects": n, "messages": m}, how many it listed and how many it posted.'
        )


def _payload(outcome: Outcome) -> dict[str, Any]:
    return outcome.payload if isinstance(outcome.payload, dict) else {}


def _messages(outcome: Outcome) -> Any:
    """How many messages came; with Slack itself, what the function says of it."""
    return (
        len(outcome.texts)
        if outcome.posts is not None
        else _payload(outcome).get("messages")
    )


def _first_page(probe: Probe) -> str:
    return (
        f"Of {MANY:,} objects only the first 1,000 were listed: one call of ListObjectsV2 gives no more; "
        f"go through all pages, with {probe.function.language.lists_all}."
    )


def _together(outcome: Outcome) -> str:
    return "\n".join(outcome.texts)


@contextmanager
def bucket_of_keys(workshop: Workshop, keys: list[str]) -> Iterator[str]:
    """A bucket of the check's own that holds an object for each key, and is gone afterwards."""
    name = f"{UPLOADS}-check-many"  # another one, as AWS frees no name at once
    with bucket_of_the_check(workshop, name) as bucket:
        _put(workshop, bucket, keys)
        yield bucket


@contextmanager
def bucket_of_the_check(
    workshop: Workshop, name: str = f"{UPLOADS}-check"
) -> Iterator[str]:
    """An empty bucket, not the reader's, that is gone afterwards."""
    entry = Entry("bucket", workshop.bucket(name))
    if entry in workshop.ledger.entries():  # left by a check that was interrupted
        remove(workshop, entry)
    make_bucket(workshop, entry.id)
    try:
        yield entry.id
    finally:
        remove(workshop, entry)


def _put(workshop: Workshop, bucket: str, keys: list[str]) -> None:
    s3 = workshop.client("s3")
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as threads:
        list(
            threads.map(
                lambda key: s3.put_object(Bucket=bucket, Key=key, Body=b""), keys
            )
        )


HINTS = (
    "The SDK has a method that lists the objects of a bucket. Which bucket? The event of lab 16 told you.",
    "One answer holds 1,000 objects at most, and an empty bucket's answer holds no list at all. "
    "The SDK goes through the pages for you.",
    "Make one text, a key to a line, and cut it at line ends into parts of at most 3,000 characters: "
    "add lines to a part until the next one would not fit.",
)
CODE = {
    "python": """\
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    messages = [f"{len(keys)} objects in s3://{bucket}" if keys else f"s3://{bucket} is empty"]
    for key in keys:
        if len(messages[-1]) + 1 + len(key) > MAX_TEXT:
            messages.append(key)
        else:
            messages[-1] += "\\n" + key
    for message in messages:
        post(message)
    return {"objects": len(keys), "messages": len(messages)}""",
    "node": """\
    const bucket = event.Records[0].s3.bucket.name;
    const keys = [];
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket }))
      for (const item of page.Contents ?? []) keys.push(item.Key);
    const messages = [keys.length ? `${keys.length} objects in s3://${bucket}` : `s3://${bucket} is empty`];
    for (const key of keys) {
      const longer = `${messages.at(-1)}\\n${key}`;
      if (longer.length > MAX_TEXT) messages.push(key);
      else messages[messages.length - 1] = longer;
    }
    for (const message of messages) await post(message);
    return { objects: keys.length, messages: messages.length };""",
    "ruby": """\
    bucket = event["Records"][0]["s3"]["bucket"]["name"]
    keys = S3.list_objects_v2(bucket: bucket).each_page.flat_map { |page| page.contents.map(&:key) }
    messages = [keys.empty? ? "s3://#{bucket} is empty" : "#{keys.length} objects in s3://#{bucket}"]
    keys.each do |key|
      longer = "#{messages.last}\\n#{key}"
      longer.length > MAX_TEXT ? messages << key : messages[-1] = longer
    end
    messages.each { |message| post(message) }
    { objects: keys.length, messages: messages.length }""",
}
POLICY = DeployedFunction(
    number="17.1",
    title="the policy",
    judge=judge_policy,
    hints=(
        "The message has all that a statement needs: which action was refused, and on which resource.",
        'Effect is "Allow". Action is the one name after "not authorized to perform".',
        "Resource is the ARN of a bucket, without /*. It is to fit each bucket whose name begins as yours do: "
        "write * in place of what comes after your prefix and its hyphen.",
    ),
    wrong_answers=WRONG_POLICIES,
)
LIST = DeployedFunction(
    number="17.2",
    title="S3 list to Slack",
    judge=judge_list,
    hints={
        language: (*HINTS, f"The main part:\n\n{code}")
        for language, code in CODE.items()
    },
    wrong_answers=WRONG_ANSWERS,
)
EXERCISES = (POLICY, LIST)
