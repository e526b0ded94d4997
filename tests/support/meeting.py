"""Where invocations meet: each is held in mid-call until all have come, so they run at the same time on any machine."""

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

LIMIT_S = 300
MEET = """
import socket
def meet(port):
    socket.create_connection(("127.0.0.1", port)).recv(1)
"""
MEETS = MEET + "def handler(event, context):\n    meet(event)\n    return context.log_stream_name\n"


class Meeting:
    """Holds those that connect to its port, until it ends."""

    def __init__(self, server: socket.socket) -> None:
        self.port: int = server.getsockname()[1]
        self._server = server
        self._held = contextlib.ExitStack()

    def wait_for(self, number: int) -> None:
        """Wait until so many more have come; TimeoutError where they do not."""
        for _ in range(number):
            self._held.enter_context(self._server.accept()[0])

    def end(self) -> None:
        """Let all go on."""
        self._held.close()


@contextlib.contextmanager
def meeting() -> Iterator[Meeting]:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        server.settimeout(LIMIT_S)
        held = Meeting(server)
        try:
            yield held
        finally:
            held.end()


def together(calls: Sequence[Callable[[int], T]]) -> list[T]:
    """What these calls give, of which none ends before all have begun; each has the meeting's port."""
    with ThreadPoolExecutor(len(calls)) as threads, meeting() as held:
        running = [threads.submit(call, held.port) for call in calls]
        held.wait_for(len(calls))
        held.end()
        return [each.result() for each in running]
