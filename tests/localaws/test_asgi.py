"""Serving: a connection that rests between two requests stays open for a while, and its end loses no request."""

import asyncio
import http.client
import socket

import pytest

from helpers.localaws import asgi

LATER_S = asgi.REST_S + 1
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


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


def rested(then):
    """What comes of a connection after a request: `then` gets it, and the event loop."""

    async def rest():
        listener, ended = socket.create_server(("127.0.0.1", 0)), asyncio.Event()
        connection = http.client.HTTPConnection(*listener.getsockname(), timeout=60)
        serving = asyncio.create_task(asgi.serve(asgi.without_lifespan(hello), listener, ended.wait))
        try:
            assert await asyncio.to_thread(ask, connection) == 200
            return await then(connection, asyncio.get_running_loop())
        finally:
            connection.close()
            ended.set()
            await serving

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(rest())


def test_a_connection_may_rest_for_a_minute():
    async def after_a_minute(connection, loop):
        used, loop.passed = connection.sock, 60
        return await asyncio.to_thread(ask, connection) == 200 and connection.sock is used

    assert rested(after_a_minute)


def test_a_connection_that_nobody_uses_is_closed():
    async def later(connection, loop):
        loop.passed = LATER_S
        return await asyncio.to_thread(connection.sock.recv, 1)

    assert rested(later) == b""


@pytest.mark.parametrize("turns", range(12))
def test_a_request_that_comes_as_a_connection_is_to_be_closed_is_answered(turns):
    """Whoever sends has looked before whether the connection is closed, as clients do."""

    async def then(connection, loop):
        loop.passed = LATER_S
        for _ in range(turns):
            await asyncio.sleep(0)
        connection.sock.setblocking(False)
        try:
            return connection.sock.recv(1) == b"" and "closed before"
        except BlockingIOError:
            connection.sock.sendall(REQUEST)
        connection.sock.settimeout(60)
        return await asyncio.to_thread(connection.sock.recv, 12)

    assert rested(then) in (b"HTTP/1.1 200", "closed before")


def test_a_connection_that_its_client_ends_costs_nothing_any_more():
    async def ends(connection, loop):
        tasks = len(asyncio.all_tasks())
        connection.close()
        async with asyncio.timeout(60):
            while len(asyncio.all_tasks()) == tasks:
                await asyncio.sleep(0.01)
        return loop.passed

    assert rested(ends) == 0
