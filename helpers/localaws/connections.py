"""Where no descriptor is left for another connection: it waits, that is said, and none is kept open after its answer.

Otherwise those that wait would do so until the clients of the others end theirs, which boto3 does when it ends itself.
"""

import asyncio
import sys
from typing import Any

from .asgi import App, Message, Receive, Scope, Send

SCARCE_S = 60.0  # from the last connection on for which there was no descriptor


class Connections:
    """Hears from the event loop that descriptors are used up, and spares them from then on for a while."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._scarce_until = loop, 0.0
        loop.set_exception_handler(self._heard)

    def spared(self, app: App) -> App:
        """`app`, whose answers end their connection while descriptors are scarce."""

        async def sparing(scope: Scope, receive: Receive, send: Send) -> None:
            async def ends(message: Message) -> None:
                if message["type"] == "http.response.start" and self._loop.time() < self._scarce_until:
                    message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
                await send(message)

            await app(scope, receive, ends)

        return sparing

    def _heard(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio tries again after a second; of itself it would log a traceback for each connection that waits."""
        message, error = context.get("message", ""), context.get("exception")
        if "out of system resource" in message and isinstance(error, OSError):
            if loop.time() >= self._scarce_until:
                print(f"New connections wait: {error.strerror}.", file=sys.stderr, flush=True)
            self._scarce_until = loop.time() + SCARCE_S
        elif isinstance(error, asyncio.CancelledError) or (isinstance(error, ValueError) and "_start_serv" in message):
            pass  # at the end of the server: a connection was still open, or the listener closed before the other try
        else:
            loop.default_exception_handler(context)
