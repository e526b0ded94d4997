"""A Runtime API that serves by itself, in a thread, as an execution environment does that waits for its runtime."""

import threading

from localaws_client import eventually

from helpers.localaws.data_plane.credentials import ContainerCredentials
from helpers.localaws.data_plane.runtime_api import Invocation, Message, RuntimeApi

ROUND_S = 0.01  # how long one look lasts, after which others may have a word


class ServedRuntimeApi:
    """Everything of a RuntimeApi, for tests whose own thread plays the runtime."""

    def __init__(self, restored: bool | None = None, credentials: ContainerCredentials | None = None) -> None:
        self._api = RuntimeApi(restored, credentials)
        self._lock = threading.Lock()  # a RuntimeApi is used by one thread at a time
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.address, self.messages = self._api.address, self._api.messages

    @property
    def waiting(self) -> int:
        """How many requests wait for an invocation."""
        return len(self._api._waiting)

    def heard(self) -> Message:
        eventually(lambda: self.messages)
        return self.messages.popleft()

    def give(self, invocation: Invocation) -> None:
        with self._lock:
            self._api.give(invocation)

    def close(self) -> None:
        if not self._closed.is_set():
            self._closed.set()
            self._thread.join()
            self._api.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            with self._lock:
                self._api.wait(ROUND_S)
