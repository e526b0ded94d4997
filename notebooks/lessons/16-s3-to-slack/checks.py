"""The check of lab 16: a function that S3 invokes for each new object, and that posts the object's key."""

import json
import urllib.parse
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from helpers.connect import Workshop
from helpers.deploying.s3_triggers import LAMBDA_INVOKER, UPLOADS, lambda_triggers
from helpers.exercises.exercise import DeployedFunction, NotSolved
from helpers.exercises.lab import labs
from helpers.exercises.lab_probe import probe_of
from helpers.exercises.probe import SLACK_NOTE, Probe, s3_event, unique
from helpers.inbox import InboxError
from helpers.measuring.reports import reports

from .wrong_answers import WRONG_ANSWERS

LAB = labs()["16"]
ARRIVES_S = 30  # from the upload to the message; LAMBDA_INVOKER's notifications take a second, sometimes more
ROUNDS = (
    3  # a reader's upload may bring one more message meanwhile, though not each time
)
CREATED = ("s3:ObjectCreated:*", "s3:ObjectCreated:Put")
SOURCE_ARN, SOURCE_ACCOUNT = "aws:sourcearn", "aws:sourceaccount"


def judge_trigger(workshop: Workshop) -> list[str]:
    with probe_of(workshop, LAB) as probe:
        posts_the_decoded_key(probe)
        posts_every_record(probe)
        if probe.sees_messages:
            probe.fails_with_the_webhook(
                s3_event("another-bucket", f"check {unique()}.txt")
            )
        is_triggered(probe, key := f"uploads/check {unique()} 日本語.txt")
        posts_an_upload(probe, key)
        return [] if probe.sees_messages else [SLACK_NOTE]


def posts_the_decoded_key(probe: Probe) -> None:
    key = f"check {unique()}/1 + 1 = 2, 100%, 富士山.txt"
    bucket = f"another-bucket-{unique()}"
    outcome = probe.succeed(s3_event(bucket, key), "for an event about one object")
    if outcome.posts is not None and not _named(key, outcome.texts):
        raise NotSolved(_wrong_key(probe, key, outcome.texts, bucket))
    _returned(probe, outcome.payload, [key])
    own = probe.workshop.bucket(UPLOADS)
    if any(
        own in text and key in text for text in outcome.texts
    ):  # others may be about the reader's own uploads
        raise NotSolved(
            f"The message names the bucket {own}, and the event was about {bucket}; "
            'take the name from the event: record["s3"]["bucket"]["name"].'
        )
    if outcome.posts is not None and not _named(f"s3://{bucket}/{key}", outcome.texts):
        raise NotSolved(
            f"The message was {outcome.texts[-1][:200]!r}; post the address of the object, s3://{bucket}/{key}: "
            "several buckets may have an object with this key."
        )


def posts_every_record(probe: Probe) -> None:
    for _ in range(ROUNDS):
        messages = _messages_about(probe, 3)
        if messages in (3, None):
            return
    raise NotSolved(
        f"An event with three records brought {messages} message{'' if messages == 1 else 's'} to the inbox; "
        "post one for each record, within the loop."
    )


def _messages_about(probe: Probe, records: int) -> int | None:
    """How many messages an event about so many objects brings; None where they cannot be seen."""
    keys = [f"check {unique()}.txt" for _ in range(records)]
    outcome = probe.succeed(
        s3_event("another-bucket", *keys), "for an event about three objects"
    )
    if outcome.posts is not None and (
        missing := [key for key in keys if not _named(key, outcome.texts)]
    ):
        raise NotSolved(
            f"An event with three records brought {records - len(missing)} of their keys to the inbox; "
            'one event can hold several, so go through all of event["Records"].'
        )
    _returned(probe, outcome.payload, keys)
    return None if outcome.posts is None else len(outcome.texts)


def is_triggered(probe: Probe, key: str) -> None:
    """NotSolved unless the bucket tells the function of an object with this key, and the function lets it."""
    workshop, name = probe.workshop, probe.function.name
    bucket = workshop.bucket(UPLOADS)
    triggers = lambda_triggers(workshop, bucket, name)
    if triggers is None:
        raise NotSolved(
            f"There is no bucket {bucket} yet; create it as in the notebook."
        )
    is_permitted(probe, bucket)  # without it S3 refuses the notification
    if not triggers:
        raise NotSolved(
            f"The bucket {bucket} does not notify {name}; put_bucket_notification_configuration makes the trigger."
        )
    wanted = [
        event for each in triggers for event in each["Events"] if event in CREATED
    ]
    if not wanted:
        raise NotSolved(
            f"The trigger of {bucket} waits for {', '.join(triggers[0]['Events'])}; new objects are s3:ObjectCreated:*."
        )
    if not any(_passes(each, key) for each in triggers):
        rules = ", ".join(
            f"{rule['Name']} {rule['Value']!r}" for rule in _rules(triggers[0])
        )
        raise NotSolved(
            f"The filter of the trigger ({rules}) leaves out the object {key!r}; take the filter away, or widen it."
        )


def is_permitted(probe: Probe, bucket: str) -> None:
    """NotSolved unless S3 may invoke the function for this bucket of this account, and for no other's."""
    name = probe.function.name
    account = probe.function.configuration["FunctionArn"].split(":")[4]
    statements = [
        each for each in _statements(probe) if _lets_s3_in(each, bucket, account)
    ]
    if not statements:
        raise NotSolved(
            f"S3 may not invoke {name} for {bucket}: no statement of its policy says so; call add_permission "
            f"with Principal={LAMBDA_INVOKER!r}, SourceArn, the ARN of the bucket, and SourceAccount, the number "
            "of your account."
        )
    for statement in statements:
        if sentence := _too_wide(statement, name):
            raise NotSolved(sentence)


def posts_an_upload(probe: Probe, key: str) -> None:
    """Put a real object, wait for what comes of it, and remove the object."""
    s3, bucket = probe.workshop.client("s3"), probe.workshop.bucket(UPLOADS)
    began = datetime.now(UTC)
    s3.put_object(Bucket=bucket, Key=key, Body=b"put by the check of lab 16\n")
    try:
        if not (
            _arrived(probe, key, began)
            if probe.sees_messages
            else _invoked(probe, began)
        ):
            missing = (
                "message about it came"
                if probe.sees_messages
                else "invocation shows in the log"
            )
            raise NotSolved(
                f"An object was put into {bucket}, and no {missing} within {ARRIVES_S} s; "
                f"look into the log of {probe.function.name}, {probe.function.log_group}."
            )
    finally:
        s3.delete_object(Bucket=bucket, Key=key)


def _arrived(probe: Probe, key: str, began: datetime) -> bool:
    """Whether a message with the key comes in time, among the messages about other objects."""
    count = 1
    while (left := ARRIVES_S - (datetime.now(UTC) - began).total_seconds()) > 0:
        try:
            messages = probe.inbox.wait(count, since=began, timeout=left)
        except InboxError:
            return False
        if _named(key, [message.text for message in messages]):
            return True
        count = len(messages) + 1
    return False


def _invoked(probe: Probe, began: datetime) -> bool:
    """Whether the log shows an invocation: with Slack itself, that is all that can be seen."""
    logs = probe.workshop.client("logs")
    try:
        reports(logs, probe.function.name, since=began, timeout=ARRIVES_S)
    except TimeoutError:
        return False
    return True


def _named(key: str, texts: list[str]) -> bool:
    return any(key in text for text in texts)


def _wrong_key(probe: Probe, key: str, texts: list[str], bucket: str) -> str:
    encoded = urllib.parse.quote_plus(key, safe="/")
    unquoted = urllib.parse.unquote(encoded)
    if _named(unquoted.replace("+", " "), texts):
        return (
            "The + was turned into a space after decoding, so a + of the key itself is lost; "
            f"turn it first: {probe.function.language.decodes_key}."
        )
    if _named(unquoted.replace("+", " ", 1), texts):
        return (
            "Only the first + was turned into a space; "
            f"turn every one, and before decoding: {probe.function.language.decodes_key}."
        )
    if _named(encoded, texts) or _named(unquoted, texts):
        return (
            f"The key came as S3 encodes it, {encoded[:30]!r}..., with %XX and with + for a space; "
            f"decode it: {probe.function.language.decodes_key}."
        )
    return (
        f"The event was about the object {key!r} in {bucket}, and the message {texts[-1][:200]!r} does not "
        'name it; post record["s3"]["object"]["key"].'
    )


def _returned(probe: Probe, payload: Any, keys: list[str]) -> None:
    if payload != {"posted": keys}:
        posted = payload.get("posted") if isinstance(payload, dict) else None
        is_short = isinstance(posted, list) and len(posted) < len(keys)
        raise NotSolved(
            f"The handler returned {json.dumps(payload, ensure_ascii=False)[:150]}; "
            f'return {{"posted": [...]}} with the decoded key of each record, {len(keys)} here'
            f"{probe.function.language.waits_for_requests if is_short else ''}."
        )


def _statements(probe: Probe) -> list[dict[str, Any]]:
    client = probe.workshop.client("lambda")
    try:
        policy = client.get_policy(FunctionName=probe.function.name)["Policy"]
    except client.exceptions.ResourceNotFoundException:
        return []
    return list(json.loads(policy)["Statement"])


def _lets_s3_in(statement: dict[str, Any], bucket: str, account: str) -> bool:
    """Whether S3 may invoke by this statement for the bucket of the account, and for others perhaps."""
    wants = _conditions(statement)
    return (
        statement["Effect"] == "Allow"
        and statement["Principal"] in ("*", {"Service": LAMBDA_INVOKER})
        and fnmatchcase("lambda:invokefunction", statement["Action"].lower())
        and wants.keys() <= {SOURCE_ARN, SOURCE_ACCOUNT}  # no function URL, say
        and fnmatchcase(bucket, wants.get(SOURCE_ARN, "*").rpartition(":::")[2])
        and wants.get(SOURCE_ACCOUNT, account) == account
    )


def _too_wide(statement: dict[str, Any], name: str) -> str | None:
    """The sentence for a statement that lets in more than S3 for a bucket of one account."""
    wants = _conditions(statement)
    anew = f"remove the statement {statement['Sid']!r} with remove_permission, and give add_permission"
    if statement["Principal"] == "*":
        return f"Not only S3 may invoke {name}; {anew} Principal={LAMBDA_INVOKER!r}."
    if SOURCE_ARN not in wants:
        return f"S3 may invoke {name} for any bucket; {anew} SourceArn, the ARN of the bucket."
    if SOURCE_ACCOUNT not in wants:
        return (
            f"S3 may invoke {name} for a bucket of this name in any account; {anew} SourceAccount, the number of "
            "your account."
        )
    return None


def _conditions(statement: dict[str, Any]) -> dict[str, str]:
    """What each key of its conditions has to be, the keys in small letters."""
    conditions = statement.get("Condition", {}).values()
    return {key.lower(): value for each in conditions for key, value in each.items()}


def _rules(trigger: dict[str, Any]) -> list[dict[str, str]]:
    return list(trigger.get("Filter", {}).get("Key", {}).get("FilterRules", []))


def _passes(trigger: dict[str, Any], key: str) -> bool:
    fits = {"prefix": key.startswith, "suffix": key.endswith}
    wants = any(event in CREATED for event in trigger["Events"])
    return wants and all(
        fits[rule["Name"].lower()](rule["Value"]) for rule in _rules(trigger)
    )


PRINT = {
    "python": "Print the event",
    "node": "Print the event with console.log(JSON.stringify(event)), as console.log alone cuts it short",
    "ruby": "Print the event",
}
HINTS = (
    "or look at events/s3-put.json: where in it is the key of the object?",
    'One event can hold several records, so go through all of event["Records"]; '
    'the key is record["s3"]["object"]["key"].',
    "S3 encodes the key as a browser encodes a form: a space is +, and 日 is %E6%97%A5. Decode it before you post it.",
)
CODE = {
    "python": """\
    posted = []
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        post(f"s3://{bucket}/{key}")
        posted.append(key)
    return {"posted": posted}""",
    "node": """\
    const posted = [];
    for (const { s3 } of event.Records) {
      const key = decodeURIComponent(s3.object.key.replace(/\\+/g, " "));
      await post(`s3://${s3.bucket.name}/${key}`);
      posted.push(key);
    }
    return { posted };""",
    "ruby": """\
    posted = event["Records"].map do |record|
      bucket = record["s3"]["bucket"]["name"]
      key = URI.decode_www_form_component(record["s3"]["object"]["key"])
      post("s3://#{bucket}/#{key}")
      key
    end
    { posted: posted }""",
}
EXERCISE = DeployedFunction(
    number="16",
    title="S3 to Slack",
    judge=judge_trigger,
    hints={
        language: (
            f"{PRINT[language]}, {HINTS[0]}",
            *HINTS[1:],
            f"The main part:\n\n{code}",
        )
        for language, code in CODE.items()
    },
    wrong_answers=WRONG_ANSWERS,
)
EXERCISES = (EXERCISE,)
