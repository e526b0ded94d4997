"""The answer to a request that may have changed something waits until the state is saved; one that reads does not.

Where the state cannot be saved, as on a disk that is full, the answer is an error of the service's own with status 500.
"""

import os
import re
from pathlib import Path

from ministack import app as ministack_app
from ministack.services import s3

from ..asgi import App, Message, Receive, Scope, Send, body_of, query_of, replay
from ..saved_state.saver import NotSaved, Saver
from .contract import Contract
from .not_served import Wanted, scope_of
from .request import INVOKE_PATH

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (ministack_app, "_routing_params"): ("method", "path", "headers", "body", "query_params"),
    (s3, "_bucket_notifications"): None,
}

READS = re.compile(
    r"(?!GetSessionToken|GetFederationToken)(BatchGet|Decode|Describe|Filter|Get|Head|List|Lookup|Query$|Scan$|Search|"
    r"Select|Simulate|StartLiveTail|Test|TransactGet|Validate)"
)
KMS = "TrentService"  # as its targets name it
EVENTS = "asynchronous invocations"
SENT = frozenset({"sqs", "sns", "eventbridge", "stepfunctions", "lambda_svc", EVENTS})
# What the requests to a service change at once, by the modules of MiniStack; all others may change whatever there is.
CHANGES = {
    "dynamodb": frozenset({"dynamodb"}),
    "events": SENT,
    "iam": frozenset({"iam"}),
    "kms": frozenset({"kms"}),
    "lambda": frozenset({"lambda_svc", "addresses", EVENTS}),
    "logs": frozenset({"cloudwatch_logs", "cloudwatch", EVENTS}),
    "monitoring": frozenset({"cloudwatch"}),
    "s3": SENT | {"s3"},
    "scheduler": frozenset({"scheduler"}),
    "sns": SENT,
    "sqs": frozenset({"sqs"}),
    "ssm": frozenset({"ssm"}),
    "sts": frozenset({"sts"}),
}
# What is there for every account is made, with ids of its own, when somebody first looks.
MADE_BY_READING = {"ec2": frozenset({"ec2"}), "kms": frozenset({"kms"})}
ALL = None
NOTHING: frozenset[str] = frozenset()
# The errors of AWS's own for what is not its caller's fault; of the others it is InternalFailure.
CODES = {
    "dynamodb": "InternalServerError",
    "events": "InternalException",
    "iam": "ServiceFailure",
    "lambda": "ServiceException",
    "logs": "ServiceUnavailableException",
    "monitoring": "InternalServiceFault",
    "s3": "InternalError",
    "scheduler": "InternalServerException",
    "secretsmanager": "InternalServiceError",
    "sns": "InternalError",
    "ssm": "InternalServerError",
}
ROOM = 1024 * 1024  # bytes that have to be free beside what a request brings, before anything is done


class Acknowledged:
    """`app`, whose answers are kept back until `saver` has saved what they tell of; `home` is where that lies."""

    def __init__(self, app: App, saver: Saver, home: Path) -> None:
        self._app, self._saver, self._home = app, saver, home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._saver.wake()
        if scope["type"] != "http" or _only_reads(scope):
            return await self._app(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query, body = query_of(scope), await body_of(receive)
        service = scope_of(headers, query)
        asked = scope["method"], scope["path"], headers
        wanted = Wanted(*asked, ministack_app._routing_params(*asked, body, query), service)
        groups = _changed(service, scope["path"], wanted.operation)
        if groups == NOTHING:
            return await self._app(scope, replay(body, receive), send)

        async def refuse(error: NotSaved) -> None:
            status, told, content = wanted.refused(str(error), CODES.get(service, "InternalFailure"), 500)
            length = ("content-length", str(len(content)))
            lines = [(name.encode(), str(value).encode()) for name, value in (*told.items(), length)]
            await send({"type": "http.response.start", "status": status, "headers": lines})
            await send({"type": "http.response.body", "body": content})

        try:
            await self._make_sure(len(body))
        except NotSaved as error:
            return await refuse(error)
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, replay(body, receive), keep)
        try:
            if kept and kept[0].get("status", 200) < 400:
                await self._saver.save(groups)
        except NotSaved as error:
            return await refuse(error)
        for message in kept:
            await send(message)

    async def _make_sure(self, size: int) -> None:
        """Raise NotSaved, before anything is done, where it is known already that it could not be saved."""
        disk = os.statvfs(self._home)
        if disk.f_bavail * disk.f_frsize < size + ROOM:
            raise NotSaved("The embedded AWS cannot save its state: the disk is full.")
        if self._saver.failed:
            await self._saver.save()


def _only_reads(scope: Scope) -> bool:
    """Whether its method, its path or its headers say so already."""
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return b"Action=" not in scope.get("query_string", b"")
    headers = dict(scope["headers"])
    if invoked := INVOKE_PATH.search(scope["path"]):
        is_event = invoked["event"] or headers.get(b"x-amz-invocation-type") == b"Event"
        return bool(invoked["streams"] or not is_event)
    service, _, operation = headers.get(b"x-amz-target", b"").decode("latin-1").rpartition(".")
    return bool(READS.match(operation)) and service != KMS


def _changed(service: str, path: str, operation: str) -> frozenset[str] | None:
    """The groups that a request may change, ALL where that is not known."""
    if INVOKE_PATH.search(path):
        return frozenset({EVENTS})
    if READS.match(operation):
        return MADE_BY_READING.get(service, NOTHING)
    if service == "s3" and not s3._bucket_notifications._data:
        return frozenset({"s3"})
    return CHANGES.get(service, ALL)
