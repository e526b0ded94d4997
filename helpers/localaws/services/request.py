"""What is known of the request that runs a function; it follows the invocation from thread to thread."""

import contextvars
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One request to run a function, as its caller sent it; `payload` is None where an event source made the event."""

    request_id: str
    client_context: str = ""
    payload: bytes | None = None
    waits: bool = False  # the caller waits for the answer, and gets it byte for byte
    trace: str = ""  # its trace header, see lambda_tracing.py


# Set by the gateway for a call of Invoke, and for every other asynchronous event where it is accepted; its retries
# inherit it, so that they share one request id, as on AWS.
request: contextvars.ContextVar[Request | None] = contextvars.ContextVar("request", default=None)
