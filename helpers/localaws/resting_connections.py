"""Connections that rest are closed after a while, and no request is lost by that; those that clients end, at once.

hypercorn decides to close one, and does so some turns of the event loop later; a request that comes in between, or has
come while the loop was busy, gets no answer. HTTP allows that (RFC 9112, 9.5), but not every client sends it again.
"""

import asyncio
import contextlib
import select
from typing import cast

from hypercorn.asyncio import run, tcp_server

TURNS = 4  # of the event loop, more than what has been read needs to be known as a request


class Connection(tcp_server.TCPServer):
    """A connection of hypercorn's that is closed only where nothing has come."""

    async def _read_data(self) -> None:
        """Until its client ends it: then there is nothing to wait for, which hypercorn does all the same."""
        await super()._read_data()
        await self.idle_task.stop()

    async def _idle_timeout(self) -> None:
        """It is cancelled where a request begins."""
        while not (self.context.terminated.is_set() or self.reader.at_eof()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.context.terminated.wait(), self.config.keep_alive_timeout)
                break
            if not await self._has_come():
                break
        await asyncio.shield(self._initiate_server_close())

    async def _has_come(self) -> bool:
        """Whether there is something to read; where not, the client is told that nothing more will be read."""
        transport = cast("asyncio.Transport", self.writer.transport)
        transport.pause_reading()
        try:
            for _ in range(TURNS):
                await asyncio.sleep(0)  # if something has been read, this is cancelled
            waiting = select.poll()
            waiting.register(transport.get_extra_info("socket"), select.POLLIN)
            if waiting.poll(0):
                return True
            transport.write_eof()  # at once: clients look for that before they send
        except (OSError, ValueError):  # it has gone
            pass
        finally:
            transport.resume_reading()
        return False


def install() -> None:
    """Let hypercorn serve such connections."""
    run.TCPServer = Connection  # type: ignore[attr-defined]
