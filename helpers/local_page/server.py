"""Serves a page at a port of 127.0.0.1, in a thread, for as long as a block lasts."""

import asyncio
import contextlib
import http.client
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, cast

import hypercorn.asyncio
import hypercorn.config
from hypercorn.typing import Framework
from starlette.types import ASGIApp

from .. import localaws, settings
from ..errors import WorkshopError
from ..files.whole_file import write_private
from .access import ANOTHER, ENTER, Access

COOKIE_S = 12 * 3600  # how long a cookie goes on being good, should the page be served anew
END_S = 10  # for what has to be undone when it ends
ASK_S = 5  # what a page that another process serves gets to answer


class LocalPageError(WorkshopError):
    """A page cannot be served; the message is one sentence for the reader."""


def listen(name: str, command: str, port: int | None, hosts: tuple[str, ...] = ()) -> tuple[socket.socket, Access]:
    """A port for the page of this name, and who may use it. Raises LocalPageError where `port` is taken, or is none.

    Without `port` it is the one of last time, so that a page that is still open comes back, or another that is free.
    """
    if port is not None and not 0 < port < 65536:
        raise LocalPageError(f"There is no port {port}; choose one from 1 to 65535 with --port, or none.")
    file = state_file(name)
    last = _last(file)
    wanted = port or last.get("port") or localaws.free_port()
    try:
        listener = socket.create_server(("127.0.0.1", wanted))
    except OSError as error:
        if port:
            why = "may not be used by you" if isinstance(error, PermissionError) else "is taken"
            raise LocalPageError(f"Port {port} {why}; choose another with --port, or none.") from None
        wanted = localaws.free_port()
        listener = socket.create_server(("127.0.0.1", wanted))
    is_same = wanted == last.get("port") and time.time() < last.get("until", 0)
    cookie = last["cookie"] if is_same else secrets.token_urlsafe(32)
    _keep(file, {"port": wanted, "cookie": cookie, "until": time.time() + COOKIE_S})
    return listener, Access(name, command, wanted, cookie, hosts)


def address(access: Access) -> str:
    """What opens the page, once."""
    return _address(access.port, access.new_token())


def another_address(name: str) -> str | None:
    """One more address that opens the page of this name, once, where another process serves it; else None."""
    last = _last(state_file(name))
    port, cookie = last.get("port"), last.get("cookie")
    if not isinstance(port, int) or not isinstance(cookie, str):
        return None
    cookie_name = Access(name, "", port).cookie_name
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ASK_S)
    try:
        connection.request("POST", ANOTHER, headers={"Cookie": f"{cookie_name}={cookie}"})
        response = connection.getresponse()
        token = response.read(1000).decode("ascii", "replace")
    except (OSError, http.client.HTTPException, ValueError, OverflowError):  # nobody is there, or something else is
        return None
    finally:
        connection.close()
    return _address(port, token) if response.status == 200 and re.fullmatch(r"[\w-]{43}", token) else None


def _address(port: int, token: str) -> str:
    return f"http://127.0.0.1:{port}{ENTER}?token={token}"


def state_file(name: str) -> Path:
    """Where the port and the cookie of the page of this name are kept."""
    return settings.home() / f"{name.replace(' ', '-')}.json"


@contextlib.contextmanager
def served(
    app: ASGIApp, listener: socket.socket, ends: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> Iterator[None]:
    """Serve `app` from a thread with a loop of its own, so that a signal interrupts the main thread alone.

    `ends` is awaited there when the block is left, before connections are closed.
    """
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    loop.set_exception_handler(_say_unless_cancelled)
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 1
    config.websocket_ping_interval = 20
    config.loglevel = "ERROR"  # an error of our own is told in the terminal, with its traceback
    serving = hypercorn.asyncio.serve(cast("Framework", app), config, shutdown_trigger=over.wait)
    thread = threading.Thread(target=loop.run_until_complete, args=[serving], name="local page", daemon=True)
    thread.start()
    try:
        yield
    finally:
        if ends:
            with contextlib.suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(ends(), loop).result(END_S)
        loop.call_soon_threadsafe(over.set)
        thread.join(END_S)


def _say_unless_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """In Python 3.11 an idle connection that is cancelled at the end is an error; newer ones just close it."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


def _last(file: Path) -> dict[str, Any]:
    """What was kept when the page was served last; nothing where it was not, or nobody can read it."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return kept if isinstance(kept, dict) else {}
    except (OSError, ValueError):
        return {}


def _keep(file: Path, state: dict[str, Any]) -> None:
    """Write it into a file that its owner alone may read: there is a cookie in it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, json.dumps(state))
    except OSError as error:
        raise LocalPageError.about_file(error, file) from None
