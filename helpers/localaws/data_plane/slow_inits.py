"""Inits that are made slow, as somebody has asked for it: so many of the next ones of a function take longer."""

import threading


class SlowInits:
    """What was asked for, by the ARN of the function. It is forgotten with the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, tuple[float, int]] = {}  # seconds, and how many inits are left

    def ask(self, arn: str, seconds: float, times: int) -> None:
        """Let so many inits take so much longer from now on, whatever was asked for before."""
        with self._lock:
            self._asked.pop(arn, None)
            if seconds and times:
                self._asked[arn] = seconds, times

    def take(self, arn: str) -> float:
        """By how many seconds the init that begins now is to take longer."""
        if not self._asked:
            return 0.0
        with self._lock:
            seconds, left = self._asked.pop(arn, (0.0, 0))
            if left > 1:
                self._asked[arn] = seconds, left - 1
            return seconds
