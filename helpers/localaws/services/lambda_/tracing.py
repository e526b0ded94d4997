"""AWS X-Ray in front of Lambda: the trace header of an invocation, and whether that trace is sampled.

With active tracing Lambda samples the first request of a second, and 5 % of all others, unless its caller has decided:
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html. What the caller has sent goes on:
https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader. Traces are not kept:
X-Ray itself is not in the embedded AWS.
"""

import contextvars
import random
import re
import threading
import time
from collections.abc import Callable
from urllib.parse import unquote

from ..shapes import Record

HEADER = b"x-amzn-trace-id"
RATE = 0.05
_ROOT = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
_PARENT = re.compile(r"Parent=([0-9a-f]{16})(?:;|$)")
_SAMPLED = re.compile(r"Sampled=([01])(?:;|$)")

# What the request that runs a function has of it; an event that waits has its own in its Request.
caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="")


def from_headers(headers: list[tuple[bytes, bytes]]) -> str:
    return unquote(next((value for name, value in headers if name.lower() == HEADER), b"").decode("latin-1"))


class Tracing:
    """Makes the trace headers of invocations. `clock` is time.time or as that, `chance` random.random."""

    def __init__(self, clock: Callable[[], float] = time.time, chance: Callable[[], float] = random.random) -> None:
        self._clock, self._chance = clock, chance
        self._lock = threading.Lock()
        self._second: dict[str, int] = {}  # by function: the last in which a request was sampled for being the first

    def header(self, config: Record, sent: str) -> str:
        """For an invocation of the function of this configuration, whose caller has `sent` this one."""
        root, parent, sampled = (pattern.search(sent) for pattern in (_ROOT, _PARENT, _SAMPLED))
        is_active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
        decided = sampled and sampled[1] == "1"
        if decided is None:
            decided = is_active and self._samples(config["FunctionName"])
        own = root[1] if root else f"1-{int(self._clock()):08x}-{random.randbytes(12).hex()}"
        # A segment of its own has a function that is traced; what only passes through keeps its caller's.
        segment = parent[1] if parent and not is_active else random.randbytes(8).hex()
        return f"Root={own};Parent={segment};Sampled={int(decided)}"

    def _samples(self, name: str) -> bool:
        now = int(self._clock())
        with self._lock:
            if self._second.get(name) != now:
                self._second[name] = now
                return True
        return self._chance() < RATE
