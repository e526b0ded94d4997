"""The faults that can be asked for and that AWS has no call for: each is real, has an end, and goes with the server."""

import math
from typing import Any

from ministack.services import lambda_svc

from ..activity_stream import Fault, FaultRefused
from ..data_plane.function import unqualified
from ..data_plane.pool import Pool
from .contract import Contract
from .shapes import Record
from .sqs import queue_named
from .sqs_duplicates import Duplicates

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(lambda_svc, "_get_func_record_for_ref"): ("function_ref",)}

MOST_SECONDS = 900
MOST_TIMES = 1000


class Faults:
    """The faults by their names, each of which is asked for by an object in JSON and answers with a sentence."""

    def __init__(self, pool: Pool, duplicates: Duplicates) -> None:
        self._pool, self._duplicates = pool, duplicates
        self.by_name: dict[str, Fault] = {
            "end-environment": self.end_environment,
            "slow-init": self.slow_init,
            "deliver-twice": self.deliver_twice,
        }

    def end_environment(self, asked: Record) -> str:
        """Kill the processes of an environment, in mid-call, too."""
        (name,) = _members(asked, "environment")
        _text(name, "environment")
        if not self._pool.crash(name):
            raise FaultRefused(f"There is no execution environment {name} that has a process.")
        return f"The process of the execution environment {name} was killed."

    def slow_init(self, asked: Record) -> str:
        """Let the next inits of a function take longer."""
        function, seconds, times = _members(asked, "function", "seconds", times=1)
        _text(function, "function")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
            raise FaultRefused("seconds is a number.")
        if not 0 <= seconds <= MOST_SECONDS:
            raise FaultRefused(f"seconds is a number from 0 to {MOST_SECONDS}.")
        func, config, _ = lambda_svc._get_func_record_for_ref(function)
        if not func or not config:
            raise FaultRefused(f"There is no function {function}.")
        self._pool.slow_inits.ask(unqualified(config["FunctionArn"]), float(seconds), _times(times))
        name = config["FunctionName"]
        if not seconds or not times:
            return f"The next init of {name} takes no longer than it needs."
        return f"The next init of {name} takes {seconds:g} s longer{_so_often(times)}."

    def deliver_twice(self, asked: Record) -> str:
        """Let the next messages of a queue that are received come once more."""
        arn, times = _members(asked, "queue", times=1)
        _text(arn, "queue")
        queue = queue_named(arn)
        if queue is None:
            raise FaultRefused(f"There is no queue {arn}.")
        if queue["is_fifo"]:
            raise FaultRefused("A FIFO queue delivers no message twice.")
        self._duplicates.ask(arn, _times(times))
        if not times:
            return f"No message of {arn} is delivered twice any more."
        return f"The next message that is received from {arn} is delivered twice{_so_often(times)}."


def _members(asked: Record, *required: str, **others: Any) -> list[Any]:
    """The values of these members; the `others` have one where they are not asked for."""
    if missing := [name for name in required if name not in asked]:
        raise FaultRefused(f"{missing[0]} is missing.")
    if unknown := [name for name in asked if name not in (*required, *others)]:
        raise FaultRefused(f"{unknown[0]} is no member of it.")
    return [asked[name] for name in required] + [asked.get(name, value) for name, value in others.items()]


def _text(value: Any, name: str) -> None:
    if not isinstance(value, str) or not value:
        raise FaultRefused(f"{name} is a text.")


def _times(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TIMES:
        raise FaultRefused(f"times is a whole number from 0 to {MOST_TIMES}.")
    return value


def _so_often(times: int) -> str:
    return "" if times == 1 else f", {times} times"
