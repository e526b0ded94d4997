"""Serves the console at a port of 127.0.0.1, in a thread, for as long as a block lasts."""

import asyncio
import contextlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import hypercorn.asyncio
import hypercorn.config
from hypercorn.typing import Framework
from starlette.types import ASGIApp

from .. import localaws, settings
from ..whole_file import write_whole
from .access import ENTER, Access
from .app import application
from .live_socket import END_S, LiveSockets
from .page import Connection, ConsoleError

STATE_FILE = "console.json"
COOKIE_S = 12 * 3600  # how long a cookie goes on being good, should the console be started anew


@contextlib.contextmanager
def serving(connection: Connection, port: int | None = None, hosts: tuple[str, ...] = ()) -> Iterator[str]:
    """Serve the console; gives the address that opens it, once. Raises ConsoleError where the port is taken.

    Without `port` it is the one of last time, so that a page that is still open comes back, or another that is free.
    """
    listener, access = _listen(port, hosts)
    live = LiveSockets(connection)
    with _served(application(access, connection, live), listener, live):
        yield f"http://127.0.0.1:{access.port}{ENTER}?token={access.new_token()}"


def _listen(port: int | None, hosts: tuple[str, ...]) -> tuple[socket.socket, Access]:
    last = _last()
    wanted = port or last.get("port") or localaws.free_port()
    try:
        listener = socket.create_server(("127.0.0.1", wanted))
    except OSError:
        if port:
            raise ConsoleError(f"Port {port} is taken; choose another with --port, or none.") from None
        wanted = localaws.free_port()
        listener = socket.create_server(("127.0.0.1", wanted))
    is_same = wanted == last.get("port") and time.time() < last.get("until", 0)
    access = Access(wanted, last["cookie"] if is_same else secrets.token_urlsafe(32), hosts)
    _keep({"port": wanted, "cookie": access.cookie, "until": time.time() + COOKIE_S})
    return listener, access


@contextlib.contextmanager
def _served(app: ASGIApp, listener: socket.socket, live: LiveSockets) -> Iterator[None]:
    """Serve `app` from a thread with a loop of its own, so that a signal interrupts the main thread alone."""
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    loop.set_exception_handler(_say_unless_cancelled)
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 1
    config.websocket_ping_interval = 20
    config.loglevel = "ERROR"  # an error of our own is told in the terminal, with its traceback
    served = hypercorn.asyncio.serve(cast("Framework", app), config, shutdown_trigger=over.wait)
    thread = threading.Thread(target=loop.run_until_complete, args=[served], name="console", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(live.end(), loop).result(END_S)
        loop.call_soon_threadsafe(over.set)
        thread.join(END_S)


def _say_unless_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """In Python 3.11 an idle connection that is cancelled at the end is an error; newer ones just close it."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


def _last() -> dict[str, Any]:
    """What the console kept when it started last; nothing where it did not, or nobody can read it."""
    try:
        kept = json.loads((settings.home() / STATE_FILE).read_text(encoding="utf-8"))
        return kept if isinstance(kept, dict) else {}
    except (OSError, ValueError):
        return {}


def _keep(state: dict[str, Any]) -> None:
    """Write it into a file that its owner alone may read: there is a cookie in it."""
    file = settings.home() / STATE_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(0o600)
        file.chmod(0o600)
        write_whole(file, json.dumps(state))
    except OSError as error:
        raise ConsoleError.about_file(error, file) from None
