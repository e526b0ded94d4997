"""The share of CPU that a memory size gets: a function that has used it up is stopped until time has paid for it.

Lambda gives an environment CPU in proportion to its memory. This does what Linux does for containers ("CFS bandwidth
control"), with signals: the time that a function's processes have computed is taken from an allowance that grows with
the time on the clock. One that waits, for the network or in a sleep, is never slowed.
"""

import time

from ...facts import fact
from .sandbox import Sandbox

MB_PER_VCPU: int = fact("vcpu_memory")
# How much can be saved up, as time. Measured by others, not promised: https://github.com/pwrdrvr/lambda-throttling
PERIOD_S = 0.02


def share(memory_mb: int) -> float:
    """How many vCPUs a memory size gets: 1.0 is one core without a break."""
    return memory_mb / MB_PER_VCPU


class Allowance:
    """What the processes of one sandbox may compute during one invocation."""

    def __init__(self, sandbox: Sandbox, share: float) -> None:
        self._sandbox, self._share = sandbox, share
        self._left_s = self._most_s = share * PERIOD_S
        self._used_s, self._at = sandbox.cpu_seconds(), time.monotonic()
        self._stopped = False

    def look(self) -> None:
        """Stop the processes if they have used more than there was, or let them go on."""
        before_s = self._used_s
        overdrawn = self._balance() < 0
        if overdrawn and (not self._stopped or self._used_s > before_s):  # a child that was just starting goes on
            self._sandbox.pause()
        elif self._stopped and not overdrawn:
            self._sandbox.resume()
        self._stopped = overdrawn

    def settle(self, deadline: float) -> bool:
        """Wait until all is paid for; False where that would take until after the deadline.

        What is used between two looks shows only here. Thus short invocations, too, take their time in proportion.
        """
        wait_s = min(-self._balance() / self._share, deadline - time.monotonic())
        if wait_s > 0:
            time.sleep(wait_s)
        return time.monotonic() < deadline

    def _balance(self) -> float:
        now, used_s = time.monotonic(), max(self._used_s, self._sandbox.cpu_seconds())
        earned_s = (now - self._at) * self._share
        self._left_s = min(self._left_s + earned_s - (used_s - self._used_s), self._most_s)
        self._used_s, self._at = used_s, now
        return self._left_s
