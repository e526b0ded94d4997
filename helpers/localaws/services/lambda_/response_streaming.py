"""InvokeWithResponseStream: what a function streams reaches its caller as it comes, in AWS's event stream encoding.

https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html, and for the frames
https://smithy.io/2.0/aws/amazon-eventstream.html. A function that does not stream comes as one chunk. Beyond the first
6 MB AWS slows a response down to 2 MB/s; here it goes as fast as it is read.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ...asgi import Receive, Send
from ...data_plane.response_stream import QueuedStream
from ..contract import Contract
from ..request import request
from ..shapes import Answer, Record
from .alias import EXECUTED_VERSION

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_es_encode_message"): ("headers", "payload"),
    (lambda_svc, "_invoke"): ("name", "event", "headers", "path_qualifier", "query_params"),
    (lambda_svc, "_invoke_with_response_stream"): ("name", "event", "headers", "path_qualifier", "query_params"),
    (responses, "StreamingResponse"): None,
}

FUNCTION_ERROR, LOG_RESULT = "X-Amz-Function-Error", "X-Amz-Log-Result"
EVENT_STREAM = "application/vnd.amazon.eventstream"
_running: set[asyncio.Task[Any]] = set()  # asyncio itself keeps none of them


def install() -> None:
    """Let MiniStack stream. Call once, before it serves."""

    async def invoke(*arguments: Any, **options: Any) -> Answer:
        sent = request.get()
        stream = sent.stream if sent and sent.stream else QueuedStream()
        invoked = started(lambda_svc._invoke(*arguments, **options), stream)
        first = await stream.read()
        if stream.content_type is None:  # it is over, and nothing was streamed
            status, headers, body = await invoked
            if status != 200:
                return status, headers, body
            version = headers.get(EXECUTED_VERSION, "")
        else:
            body, version = first, stream.version
        response = responses.StreamingResponse(_frames(body, stream, invoked))
        return 200, {"Content-Type": EVENT_STREAM, EXECUTED_VERSION: version}, response

    lambda_svc._invoke_with_response_stream = invoke


def started(invocation: Any, stream: QueuedStream) -> asyncio.Task[Any]:
    """An invocation that runs to its end, whether or not its caller waits for that; then the stream ends, too."""
    task: asyncio.Task[Any] = asyncio.ensure_future(invocation)
    _running.add(task)
    task.add_done_callback(_running.discard)
    task.add_done_callback(stream.end)
    return task


async def pieces(stream: QueuedStream, receive: Receive) -> AsyncIterator[bytes]:
    """What is streamed, for as long as the client is there. The function goes on without it, as on AWS."""
    gone = asyncio.ensure_future(_disconnected(receive))
    gone.add_done_callback(lambda _: stream.abandon())
    try:
        while piece := await stream.read():
            yield piece
    finally:
        gone.cancel()
        stream.abandon()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _frames(first: bytes, stream: QueuedStream, invoked: asyncio.Task[Answer]) -> Any:
    """What sends the events of the answer: the chunks, and that it is complete."""

    async def run(send: Send, receive: Receive) -> None:
        async def send_event(kind: str, content_type: str, payload: bytes, more: bool = True) -> None:
            headers = {":message-type": "event", ":event-type": kind, ":content-type": content_type}
            frame = lambda_svc._es_encode_message(headers, payload)
            await send({"type": "http.response.body", "body": frame, "more_body": more})

        if first:
            await send_event("PayloadChunk", "application/octet-stream", first)
        async for piece in pieces(stream, receive):
            await send_event("PayloadChunk", "application/octet-stream", piece)
        _, headers, body = await invoked
        await send_event(
            "InvokeComplete", "application/json", json.dumps(_complete(headers, body)).encode(), more=False
        )

    return run


def _complete(headers: Record, body: bytes) -> Record:
    """The last event: what went wrong, if anything, and the end of the log, if it was asked for."""
    told = {"LogResult": headers[LOG_RESULT]} if LOG_RESULT in headers else {}
    if error := headers.get(FUNCTION_ERROR):
        told |= {"ErrorCode": error, "ErrorDetails": body.decode("utf-8", "replace")}
    return told
