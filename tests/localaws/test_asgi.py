"""Serving: a connection that rests between two requests stays open, and is closed where nobody uses it any more."""

import asyncio
import http.client
import socket

from helpers.localaws import asgi


class Loop(asyncio.SelectorEventLoop):
    """An event loop for which time may pass at once."""

    passed = 0.0

    def time(self):
        return super().time() + self.passed


async def hello(scope, receive, send):
    await asgi.answer(send, 200, {"hello": "world"})


def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status


async def rested(seconds, then):
    """What comes of a connection that rests for so long after a request."""
    listener, ended = socket.create_server(("127.0.0.1", 0)), asyncio.Event()
    connection = http.client.HTTPConnection(*listener.getsockname(), timeout=60)
    serving = asyncio.create_task(asgi.serve(asgi.without_lifespan(hello), listener, ended.wait))
    try:
        assert await asyncio.to_thread(ask, connection) == 200
        used = connection.sock
        asyncio.get_running_loop().passed += seconds
        found = await asyncio.to_thread(then, connection)
        assert connection.sock is used
        return found
    finally:
        connection.close()
        ended.set()
        await serving


def test_a_connection_may_rest_for_minutes():
    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(rested(300, ask)) == 200


def test_a_connection_that_nobody_uses_is_closed():
    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(rested(asgi.REST_S + 1, lambda connection: connection.sock.recv(1))) == b""
