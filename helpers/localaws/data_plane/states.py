"""The states of an execution environment, as types: which transitions there are, and that all others are refused.

    Created ──start──► Starting ──ready──► Ready ──invoke──► Invoking
                           ▲                 ▲                  │
                         start               └──────ready───────┘
                           │
                         Ended ◄──end── from everywhere, with the process if there is one

and `close` from everywhere, after which there is nothing more. A state in which a process runs has it, and no other
does. AWS's own state machine of a runtime is built in the same way:
https://github.com/aws/aws-lambda-runtime-interface-emulator, internal/lambda/core/states.go.
"""

from collections.abc import Callable

from .runtime_api import Invocation
from .runtime_process import RuntimeProcess


class TransitionNotAllowed(RuntimeError):
    """An execution environment was asked for what its state does not allow: a mistake of ours."""


class State:
    """Refuses every transition; each state allows its own."""

    def start(self, begin: Callable[[], RuntimeProcess]) -> "Starting":
        """Start a process, by `begin`, which is called only where that is allowed."""
        raise self._refused("start")

    def ready(self) -> "Ready":
        """The runtime waits for an invocation: its process is frozen."""
        raise self._refused("be ready")

    def invoke(self, invocation: Invocation) -> "Invoking":
        """The process goes on, with this invocation."""
        raise self._refused("invoke")

    def end(self) -> "Ended":
        """There is no process any more."""
        raise self._refused("end")

    def close(self) -> "Closed":
        """There will never be one again."""
        raise self._refused("close")

    def _refused(self, transition: str) -> TransitionNotAllowed:
        return TransitionNotAllowed(f"an execution environment that is {type(self).__name__} cannot {transition}")


class _WithoutProcess(State):
    def start(self, begin: Callable[[], RuntimeProcess]) -> "Starting":
        return Starting(begin())

    def end(self) -> "Ended":
        return Ended()

    def close(self) -> "Closed":
        return Closed()


class _WithProcess(State):
    def __init__(self, process: RuntimeProcess) -> None:
        self.process = process

    def end(self) -> "Ended":
        self.process.close()
        return Ended()

    def close(self) -> "Closed":
        self.process.close()
        return Closed()


class Created(_WithoutProcess):
    """Nothing was started yet: its first start is the init phase."""


class Starting(_WithProcess):
    """The process runs its init code."""

    def ready(self) -> "Ready":
        self.process.sandbox.freeze()
        return Ready(self.process)


class Ready(_WithProcess):
    """The process is frozen, and waits for an invocation."""

    def invoke(self, invocation: Invocation) -> "Invoking":
        self.process.api.give(invocation)  # while it is frozen: so it wakes up once
        self.process.sandbox.thaw()
        return Invoking(self.process)


class Invoking(_WithProcess):
    """The process has an invocation."""

    def ready(self) -> "Ready":
        self.process.sandbox.freeze()
        return Ready(self.process)


class Ended(_WithoutProcess):
    """The process has ended, or could not be started: its next start is part of an invocation, and /tmp is kept."""


class Closed(State):
    """The environment is gone."""
