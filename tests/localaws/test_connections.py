"""Where no descriptor is left for a connection: one sentence, and no connection is kept open for a while."""

import asyncio
import errno

import pytest

from helpers.localaws import connections
from helpers.localaws.connections import Connections

REFUSED = {
    "message": "socket.accept() out of system resource",
    "exception": OSError(errno.EMFILE, "Too many open files"),
}


async def answered(spared):
    """The headers of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    await spared({"type": "http"}, None, send)
    return sent[0]["headers"]


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("lasts", [True, False])
def test_it_is_said_once_and_answers_end_their_connections_meanwhile(monkeypatch, capsys, lasts):
    monkeypatch.setattr(connections, "SCARCE_S", 60 if lasts else 0)

    async def scene():
        loop = asyncio.get_running_loop()
        spared = Connections(loop).spared(app)
        before = await answered(spared)
        loop.call_exception_handler(REFUSED)
        if lasts:
            loop.call_exception_handler(REFUSED)
        return before, await answered(spared)

    before, after = asyncio.run(scene())
    assert before == [(b"a", b"b")]
    assert after == [(b"a", b"b"), *([(b"connection", b"close")] if lasts else [])]
    assert capsys.readouterr().err == "New connections wait: Too many open files.\n"


@pytest.mark.parametrize(
    ("context", "is_told"),
    [
        ({"message": "Exception in callback", "exception": KeyError("x")}, True),
        ({"message": "Exception in callback f()", "exception": asyncio.CancelledError()}, False),
        ({"message": "Exception in callback BaseSelectorEventLoop._start_serving", "exception": ValueError()}, False),
    ],
)
def test_other_errors_are_told_but_those_of_an_end(caplog, context, is_told):
    async def scene():
        Connections(asyncio.get_running_loop())
        asyncio.get_running_loop().call_exception_handler(context)

    asyncio.run(scene())
    assert bool(caplog.records) == is_told
