"""TLS in front of a port of this machine: what comes encrypted goes on to it as it is, and its answers come back."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable

from .asgi import BACKLOG
from .certificate import Certificate

PART = 64 * 1024
# For the client's last word. A function that is frozen says none, and its connection is closed all the same.
SHUTDOWN_S = 0.5


async def serve(
    listener: socket.socket, port: int, certificate: Certificate, until: Callable[[], Awaitable[object]]
) -> None:
    """Serve at a listening socket, which it takes over, until `until` returns."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    connected: set[asyncio.StreamWriter] = set()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.add(writer)
        try:
            with contextlib.suppress(OSError):  # one of the two has gone; SSLError is one, too
                await _pass_on(reader, writer, port)
        finally:
            connected.discard(writer)
            writer.close()

    server = await asyncio.start_server(
        connect, sock=listener, backlog=BACKLOG, ssl=context, ssl_shutdown_timeout=SHUTDOWN_S
    )
    try:
        await until()
    finally:
        server.close()
        for writer in connected:
            writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Both ways, until one side ends."""
    answers, there = await asyncio.open_connection("127.0.0.1", port)
    ways = [asyncio.create_task(_pump(reader, there)), asyncio.create_task(_pump(answers, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        there.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(PART):
        writer.write(part)
        await writer.drain()
