"""The tab Triggers: what invokes a function, and to put an object or send a message that does."""

from typing import Any

from starlette.responses import Response

from .. import events
from ..actions import functions, triggers
from ..cells import Written
from ..page import Done, Page, Screen
from ..strings import words
from .configuration import number

S3_EVENTS = ("s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete")
AUTH_TYPES = ("AWS_IAM", "NONE")


def show(page: Page) -> Response:
    name = page.function_name
    arn = page.perform(functions.get_configuration, function_name=name)["FunctionArn"]
    buckets = page.read(triggers.list_buckets, [], prefix=page.prefix)
    notifications = page.read(triggers.list_notifications, {}, buckets=buckets)
    queues = page.read(triggers.list_queues, [], prefix=page.prefix)
    mappings = page.read(triggers.list_mappings, [], function_name=name)
    sources = [each["EventSourceArn"].split(":") for each in mappings]
    return page.render(
        "triggers.html",
        tab="triggers",
        buckets=buckets,
        queues=queues,
        s3=_of_function(notifications, name),
        mappings=mappings,
        mapped=[source[-1] for source in sources if source[2] == "sqs"],
        rules=page.read(triggers.list_rules, [], function_arn=arn),
        schedules=page.read(triggers.list_schedules, [], function_arn=arn, prefix=page.prefix),
        urls=page.read(triggers.get_url, [], function_name=name),
        s3_events=S3_EVENTS,
        auth_types=AUTH_TYPES,
    )


def _of_function(notifications: dict[str, list[dict[str, Any]]], name: str) -> list[dict[str, Any]]:
    """The notifications of all buckets that invoke this function, each with its bucket, prefix and suffix."""
    found = []
    for bucket, configurations in notifications.items():
        for each in configurations:
            if name in each["LambdaFunctionArn"].split(":"):
                rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", [])
                told = {"prefix": "", "suffix": ""} | {rule["Name"].lower(): rule["Value"] for rule in rules}
                found.append({"bucket": bucket, "id": each["Id"], "events": each["Events"], **told})
    return found


def add_s3(page: Page) -> Done:
    if new := page.asked("new_bucket").strip():
        bucket = page.workshop.bucket(new)
        page.perform(triggers.create_bucket, bucket=bucket)
    else:
        bucket = page.asked("bucket")
    page.perform(
        triggers.add_s3_trigger,
        function_name=page.function_name,
        bucket=bucket,
        s3_event=page.asked("s3_event"),
        prefix=page.asked("prefix"),
        suffix=page.asked("suffix"),
    )
    return Done(words("triggers.added"))


def remove_s3(page: Page) -> Done:
    page.perform(
        triggers.remove_s3_trigger,
        function_name=page.function_name,
        bucket=page.asked("bucket"),
        notification_id=page.asked("notification_id"),
    )
    return Done(words("triggers.removed"))


def put_object(page: Page) -> Done:
    upload = page.form.files.get("object")
    key, body = page.asked("key").strip(), Written.text(page.asked("body"))
    if upload:
        key, body = key or upload.name, Written.upload(upload.name, upload.content)
    page.perform(triggers.put_object, bucket=page.asked("bucket"), key=key, body=body)
    return Done(words("triggers.object_put", key=key))


def add_sqs(page: Page) -> Done:
    if new := page.asked("new_queue").strip():
        queue = page.workshop.name(new)
        page.perform(triggers.create_queue, queue=queue)
    else:
        queue = page.asked("queue")
    batch_size = number(page, "batch_size")
    page.perform(triggers.add_sqs_trigger, function_name=page.function_name, queue=queue, batch_size=batch_size)
    return Done(words("triggers.added"))


def remove_mapping(page: Page) -> Done:
    page.perform(triggers.remove_mapping, uuid=page.asked("uuid"))
    return Done(words("triggers.removed"))


def send_message(page: Page) -> Done:
    message_id = page.perform(triggers.send_message, queue=page.asked("queue"), body=page.asked("body"))
    return Done(words("triggers.message_sent", id=message_id))


def add_schedule(page: Page) -> Done:
    text = page.asked("input").strip()
    page.perform(
        triggers.add_schedule,
        function_name=page.function_name,
        rule=page.workshop.name(page.asked("rule").strip()),
        expression=page.asked("expression").strip(),
        event=events.parsed(text) if text else None,
    )
    return Done(words("triggers.added"))


def remove_rule(page: Page) -> Done:
    page.perform(triggers.remove_rule, function_name=page.function_name, rule=page.asked("rule"))
    return Done(words("triggers.removed"))


def remove_schedule(page: Page) -> Done:
    page.perform(triggers.remove_schedule, schedule=page.asked("schedule"), group=page.asked("group"))
    return Done(words("triggers.removed"))


def add_url(page: Page) -> Done:
    auth_type = page.asked("auth_type")
    url = page.perform(triggers.add_url, function_name=page.function_name, auth_type=auth_type)
    return Done(words("triggers.url_added", url=url))


def remove_url(page: Page) -> Done:
    page.perform(triggers.remove_url, function_name=page.function_name)
    return Done(words("triggers.removed"))


SCREEN = Screen(
    "/functions/{name}/triggers",
    show,
    {
        "add-s3": add_s3,
        "remove-s3": remove_s3,
        "put-object": put_object,
        "add-sqs": add_sqs,
        "remove-mapping": remove_mapping,
        "send-message": send_message,
        "add-schedule": add_schedule,
        "remove-rule": remove_rule,
        "remove-schedule": remove_schedule,
        "add-url": add_url,
        "remove-url": remove_url,
    },
)
