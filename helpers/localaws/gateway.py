"""What stands between a client and MiniStack: request ids, quotas, and which part answers a request.

An ASGI application around MiniStack's. It also answers `/_localaws`, by which the command line knows the server.
"""

import base64
import binascii
import json
import os
import random
import re
import uuid
from typing import NoReturn

from . import addresses
from .addresses import Addresses
from .asgi import App, Receive, Scope, Send, answer, body_of, replay, with_request_id
from .data_plane.response_stream import QueuedStream
from .server_process import LIFE_HEADER, OTHER_LIFE
from .services.lambda_ import quotas, recursive_loops, tracing
from .services.request import INVOKE_PATH, Request, request

WHO = "/_localaws"
# MiniStack's own, with which everything can be reset; what AWS hands out, too, stays: where the code of a function and
# of a layer is, and where a custom resource and a wait condition of CloudFormation answer
MINISTACKS = re.compile(
    r"/_ministack/(?!(?:lambda-code|lambda-layers|cfn-response|cfn-signal)/)|/_localstack/|/health$"
)
FUNCTION_PATH = re.compile(r"/2015-03-31/functions/?(?:[^/]+/(code|configuration))?$")
CONFIGURING = {
    ("POST", None): "CreateFunction",
    ("PUT", "code"): "UpdateFunctionCode",
    ("PUT", "configuration"): "UpdateFunctionConfiguration",
}
TOO_LARGE = ("RequestTooLargeException", "RequestEntityTooLargeException")  # with status 413; the others have 400


class Gateway:
    """Passes requests on to `app`, MiniStack's; those about addresses through `listeners`, others of ours to `stream`.

    A request that names another life of the embedded AWS than this one is answered by 410 (Gone), and nothing is done:
    whoever sent it counts on things that were forgotten.
    """

    def __init__(self, app: App, listeners: Addresses, stream: App, life: str = "") -> None:
        self._app, self._addresses, self._stream, self._life = app, listeners, stream, life.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        recursive_loops.chain.set(recursive_loops.from_header(scope.get("headers", [])))
        tracing.caller.set(tracing.from_headers(scope.get("headers", [])))
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif dict(scope["headers"]).get(LIFE_HEADER.encode(), self._life) != self._life:
            await answer(send, 410, {"message": "This is another embedded AWS than was meant."}, OTHER_LIFE)
        elif MINISTACKS.match(scope["path"]):
            await answer(
                send, 404, {"message": f"The embedded AWS has nothing at {scope['path']}."}, "NotFoundException"
            )
        elif scope["path"] == WHO:
            await answer(send, 200, {"pid": os.getpid()})
        elif is_own(scope["path"]):
            await self._stream(scope, receive, send)
        elif scope["method"] == "POST" and (invoked := INVOKE_PATH.search(scope["path"])):
            await self._invoke(scope, receive, send, invoked)
        elif addresses.told_by(scope):
            await self._addresses(scope, receive, send)
        elif operation := _configuring(scope["method"], scope["path"]):
            await self._configure(operation, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _invoke(self, scope: Scope, receive: Receive, send: Send, invoked: re.Match[str]) -> None:
        body = await body_of(receive)
        headers = {name.lower(): value for name, value in scope["headers"]}
        kind = headers.get(b"x-amz-invocation-type", b"RequestResponse").decode()
        if invoked["event"]:
            kind = quotas.INVOKE_ASYNC
        tenant_id = headers.get(b"x-amz-tenant-id", b"").decode("latin-1")
        if refused := quotas.payload(kind, len(body)) or _unreadable(body):
            return await _refuse(send, refused)
        # uuid4 would ask the system, and the event loop would have to wait for its turn again: 1,000 may call at once.
        request_id = str(uuid.UUID(bytes=random.randbytes(16), version=4))
        waits = kind == "RequestResponse"
        trace = "" if invoked["event"] else tracing.caller.get()  # InvokeAsync hands on no trace
        stream = QueuedStream() if invoked["streams"] else None
        request.set(Request(request_id, _client_context(headers), body or b"{}", waits, trace, tenant_id, stream))
        await self._app(scope, replay(body, receive), with_request_id(send, request_id))

    async def _configure(self, operation: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request that creates or changes a function, unless it is larger than AWS allows."""
        body = await body_of(receive)
        refused = quotas.oversize(operation, len(body))
        if refused:
            return await _refuse(send, refused)
        await self._app(scope, replay(body, receive), send)


def is_own(path: str) -> bool:
    """Whether a path is none of AWS's, and who asks there need not sign."""
    return path == WHO or path.startswith(f"{WHO}/")


async def _refuse(send: Send, refused: quotas.Refusal) -> None:
    code, message = refused
    await answer(send, 413 if code in TOO_LARGE else 400, {"Type": "User", "message": message}, code)


def _configuring(method: str, path: str) -> str | None:
    """The operation that creates a function or changes it, if it is one."""
    found = FUNCTION_PATH.search(path)
    return CONFIGURING.get((method, found[1])) if found else None


def _unreadable(body: bytes) -> quotas.Refusal | None:
    """Error code and message for an event that is no JSON; no body at all stands for {}."""
    try:
        json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return "InvalidRequestContentException", f"Could not parse request body into json: {error}"
    return None


def _refuse_constant(constant: str) -> NoReturn:
    """NaN and Infinity, which Python takes for JSON."""
    raise ValueError(f"{constant} is not JSON")


def _client_context(headers: dict[bytes, bytes]) -> str:
    try:
        return base64.b64decode(headers.get(b"x-amz-client-context", b""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
