"""What is known of the request that runs a function; it follows the invocation from thread to thread."""

import contextvars
import re
from dataclasses import dataclass

from ..data_plane.response_stream import QueuedStream

# Where a function is run. Its groups: it streams; or the payload is an event, whatever the headers say.
INVOKE_PATH = re.compile(
    r"/2015-03-31/functions/[^/]+/invocations/?$|/2021-11-15/functions/[^/]+/response-streaming-(?P<streams>invocations)/?$"
    r"|/2014-11-13/functions/[^/]+/invoke-(?P<event>async)/?$"
)


@dataclass(frozen=True)
class Request:
    """One request to run a function, as its caller sent it; `payload` is None where an event source made the event.

    `stream` takes what a function streams, where its caller reads it as it comes.
    """

    request_id: str
    client_context: str = ""
    payload: bytes | None = None
    waits: bool = False  # the caller waits for the answer, and gets it byte for byte
    trace: str = ""  # its trace header, see lambda_/tracing.py
    tenant_id: str = ""
    stream: QueuedStream | None = None


# Set by the gateway for a call of Invoke, and for every other asynchronous event where it is accepted; its retries
# inherit it, so that they share one request id, as on AWS.
request: contextvars.ContextVar[Request | None] = contextvars.ContextVar("request", default=None)

# The path and the query of a request for what has an address of its own, as they were sent: set by iam/ways.py.
raw_target: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("raw_target", default=("", ""))
