"""TLS in front of a port passes on what comes, both ways, and waits for no client that says nothing any more."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from helpers.localaws import tls
from helpers.localaws.certificate import Certificate

LARGE = bytes(range(256)) * 8192  # 2 MB
LIMIT_S = 20  # what a busy machine may take; to wait for the client's last word would take asyncio's 30 seconds


@pytest.fixture
def certificate(tmp_path, needs) -> Certificate:
    needs("openssl")
    made = Certificate(tmp_path)
    made.make()
    assert made.when_made()
    return made


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say all of it again, and end."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    writer.write(await reader.readexactly(size))
    await writer.drain()
    writer.close()


def during_service(certificate, talk):
    """What `talk` returns, in a thread, of a port with TLS in front of `echo`."""

    async def serve() -> bytes:
        behind = await asyncio.start_server(echo, "127.0.0.1", 0)
        listener = socket.create_server(("127.0.0.1", 0))
        address, ended = listener.getsockname(), asyncio.Event()
        serving = asyncio.create_task(tls.serve(listener, behind.sockets[0].getsockname()[1], certificate, ended.wait))
        try:
            return await asyncio.to_thread(talk, address)
        finally:
            behind.close()
            ended.set()
            await asyncio.wait_for(serving, LIMIT_S)

    return asyncio.run(serve())


@contextmanager
def connected(certificate, address) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=certificate.file)
    with (
        socket.create_connection(address, timeout=LIMIT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as wrapped,
    ):
        yield wrapped


def received(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_all_of_it_goes_on_and_comes_back_until_its_orderly_end(certificate):
    def talk(address):
        with connected(certificate, address) as connection:
            connection.sendall(len(LARGE).to_bytes(4, "big") + LARGE)
            return received(connection)

    assert during_service(certificate, talk) == LARGE


def test_a_client_that_says_nothing_any_more_is_not_waited_for(certificate):
    """As a function that is frozen: its connection is closed, and the server can end."""

    def talk(address):
        with connected(certificate, address) as connection:
            connection.sendall((1).to_bytes(4, "big") + b"x")
            said = connection.recv(1)
            plain = connection.detach()  # from here on it answers nothing
            with socket.socket(fileno=plain) as silent:
                silent.settimeout(LIMIT_S)
                while silent.recv(65536):
                    pass
            return said

    assert during_service(certificate, talk) == b"x"


def test_who_speaks_no_tls_hears_nothing_of_what_is_behind(certificate):
    def talk(address):
        with socket.create_connection(address, timeout=LIMIT_S) as plain:
            plain.sendall((1).to_bytes(4, "big") + b"x")
            try:
                return received(plain)
            except ConnectionError:
                return b""

    assert b"x" not in during_service(certificate, talk)


def test_where_nobody_is_behind_the_connection_ends(certificate, free_port):
    async def serve() -> bytes:
        listener, ended = socket.create_server(("127.0.0.1", 0)), asyncio.Event()
        address = listener.getsockname()
        serving = asyncio.create_task(tls.serve(listener, free_port(), certificate, ended.wait))

        def talk() -> bytes:
            with connected(certificate, address) as connection:
                return received(connection)

        try:
            return await asyncio.to_thread(talk)
        finally:
            ended.set()
            await asyncio.wait_for(serving, LIMIT_S)

    assert asyncio.run(serve()) == b""
