"""Serves the console, for as long as a block lasts."""

import contextlib
from collections.abc import Iterator

from ..local_page import server
from .app import application
from .live_socket import LiveSockets
from .page import Connection

NAME = "console"  # of its cookie, and of the file that keeps it


@contextlib.contextmanager
def serving(connection: Connection, port: int | None = None, hosts: tuple[str, ...] = ()) -> Iterator[str]:
    """Serve the console; gives the address that opens it, once. Raises LocalPageError where the port is taken."""
    listener, access = server.listen(NAME, "console", port, hosts)
    live = LiveSockets(connection)
    with server.served(application(access, connection, live), listener, live.end):
        yield server.address(access)
