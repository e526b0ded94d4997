"""A connection pool in front of PostgreSQL, as RDS Proxy is one: many clients take turns on few server connections.

A client has a server connection from the first message of a transaction until the transaction has ended. Where
its session has a state of its own (a named prepared statement, SET, LISTEN, ...), it keeps the connection until it
leaves: RDS Proxy calls that *pinning* ("Avoiding pinning an RDS Proxy" in the Amazon RDS User Guide).

The messages: "Frontend/Backend Protocol", version 3.0, in PostgreSQL's documentation.
"""

import asyncio
import contextlib
import re
import secrets
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scramp import ScramClient

PROTOCOL_3, ENCRYPTION = 196608, (80877103, 80877104)  # 3 << 16; SSLRequest and GSSENCRequest
KEEPS_A_STATE = re.compile(rb"\s*(SET|PREPARE|LISTEN|DECLARE|LOAD|CREATE\s+TEMP|SELECT\s+.*pg_advisory_lock)\b", re.I)
GONE = (asyncio.IncompleteReadError, OSError)

IDLE = b"Z\0\0\0\5I"  # ReadyForQuery, outside of a transaction
Key = tuple[str, str]  # user and database: a connection serves one pair only


class Refused(Exception):
    """(SQLSTATE, message) for the client, whose connection ends with it."""


@dataclass(eq=False)
class DatabaseConnection:
    """One connection to the database."""

    key: Key
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    parameters: bytes = b""  # the ParameterStatus messages with which it began


@dataclass
class ConnectionPool:
    """At most `size` connections to the database at `port`, lent to one client at a time.

    `credentials` are the passwords of the users that may connect; who waits longer than `borrow_timeout_s` is refused.
    """

    port: int
    credentials: dict[str, str]
    size: int
    borrow_timeout_s: float
    lent: int = 0
    idle: list[DatabaseConnection] = field(default_factory=list)
    greeting: bytes = b""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def borrow(self, key: Key) -> DatabaseConnection:
        """Wait for a turn, and get a connection of this user to this database."""
        try:
            async with self.changed:
                has_room = self.changed.wait_for(lambda: self.lent < self.size)
                await asyncio.wait_for(has_room, self.borrow_timeout_s or None)  # 0: as long as it takes
                self.lent += 1
        except TimeoutError:
            raise Refused("08000", "Timed-out waiting to acquire database connection") from None
        try:
            if server := next((each for each in reversed(self.idle) if each.key == key), None):
                self.idle.remove(server)
                return server
            while self.idle and self.lent + len(self.idle) > self.size:
                self.idle.pop(0).writer.close()
            return await self._connect(key)
        except BaseException:
            await self._returned()
            raise

    async def give_back(self, server: DatabaseConnection, usable: bool = True) -> None:
        if usable:
            self.idle.append(server)
        else:
            server.writer.close()
        await self._returned()

    async def _returned(self) -> None:
        self.lent -= 1
        async with self.changed:
            self.changed.notify()

    async def welcome(self, key: Key) -> bytes:
        """What a new client is told about the server."""
        if not self.greeting:
            await self.give_back(await self.borrow(key))
        return self.greeting

    def close(self) -> None:
        for server in self.idle:
            server.writer.close()

    async def _connect(self, key: Key) -> DatabaseConnection:
        from scramp import ScramClient  # slow to import, and only DB proxies need it

        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        server = DatabaseConnection(key, reader, writer)
        settings = b"\0".join([b"user", key[0].encode(), b"database", key[1].encode(), b"", b""])
        writer.write(_framed(b"", struct.pack("!i", PROTOCOL_3) + settings))
        scram = ScramClient(["SCRAM-SHA-256"], key[0], self.credentials[key[0]])
        try:
            while (message := await _read(reader))[:1] != b"Z":
                kind, content = message[:1], message[5:]
                if kind == b"E":
                    raise Refused(*_said(content))
                if kind == b"S":
                    server.parameters += message
                if kind == b"R":
                    _authenticate(writer, scram, struct.unpack_from("!i", content)[0], content[4:])
        except BaseException:
            writer.close()
            raise
        self.greeting = server.parameters
        return server


class RdsProxy:
    """Listens at a port of 127.0.0.1 and serves its clients from `pool`, which is None until it has a target."""

    def __init__(self) -> None:
        self.pool: ConnectionPool | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """Listen; return the port."""
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def serve_from(self, pool: ConnectionPool | None) -> None:
        """Lend the connections of another pool from now on; the clients of the one before have to connect anew.

        Where only its limits are others, the pool and its clients stay.
        """
        if pool and self.pool and (pool.port, pool.credentials) == (self.pool.port, self.pool.credentials):
            self.pool.size, self.pool.borrow_timeout_s = pool.size, pool.borrow_timeout_s
            return
        for client in self._clients:
            client.cancel()
        if self.pool:
            self.pool.close()
        self.pool = pool

    async def close(self) -> None:
        self._listener.close()
        await self.serve_from(None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._clients.add(task)
            task.add_done_callback(self._clients.discard)
        try:
            if found := await self._let_in(reader, writer):
                await ClientConnection(*found, reader, writer).run()
        except Refused as refused:
            with contextlib.suppress(*GONE):
                writer.write(_error(*refused.args))
                await writer.drain()
        except (*GONE, asyncio.CancelledError):
            return  # a client that leaves needs no answer, and one that is sent away gets none
        finally:
            writer.close()

    async def _let_in(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[ConnectionPool, Key] | None:
        """Authenticate a new client by the password of its user; None when it wanted something else."""
        while (code := struct.unpack_from("!i", opening := await _read(reader, b""), 4)[0]) in ENCRYPTION:
            writer.write(b"N")  # not on loopback
        if code >> 16 != 3:
            return None
        words = opening[8:].split(b"\0")
        settings = {name.decode(): value.decode() for name, value in zip(words[::2], words[1::2], strict=False)}
        user = settings.get("user", "")
        pool = self.pool
        if pool is None:
            raise Refused("08000", "This RDS proxy has no target yet")
        writer.write(_framed(b"R", struct.pack("!i", 3)))  # in clear text: it does not leave this machine
        given = (await _read(reader))[5:].rstrip(b"\0")
        if not secrets.compare_digest(given, pool.credentials.get(user, secrets.token_hex()).encode()):
            raise Refused("28P01", f"The password that was provided for the role {user} is wrong.")
        key = user, settings.get("database") or user
        writer.write(_framed(b"R", struct.pack("!i", 0)) + await pool.welcome(key))
        writer.write(_framed(b"K", struct.pack("!ii", 0, 0)) + IDLE)
        return pool, key


class ClientConnection:
    """One client after its login, with a server connection whenever it is in a transaction."""

    def __init__(
        self, pool: ConnectionPool, key: Key, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pool, self.key, self.reader, self.writer = pool, key, reader, writer
        self.server: DatabaseConnection | None = None
        self.pinned = self.executed = self.unfinished = False
        self.answers = 0  # how many ReadyForQuery are still to come

    async def run(self) -> None:
        relay: asyncio.Task[None] | None = None
        try:
            while (message := await _read(self.reader))[:1] != b"X":  # Terminate
                if self.server is None:
                    self.server = await self.pool.borrow(self.key)
                    relay = asyncio.create_task(self._relay(self.server))
                self._note(message)
                self.server.writer.write(message)
                await self.server.writer.drain()
        except Refused as refused:
            self.writer.write(_error(*refused.args) + IDLE)  # drivers read on after an error until the server is idle
        finally:
            if self.server and relay:  # it left in a transaction, or pinned: nobody else can use this one
                relay.cancel()
                await self.pool.give_back(self.server, usable=False)

    def _note(self, message: bytes) -> None:
        kind, content = message[:1], message[5:]
        self.unfinished = kind not in b"QSF"  # Query, Sync and FunctionCall are answered by ReadyForQuery
        self.answers += not self.unfinished
        self.executed |= kind in b"QEF"  # a driver may send Parse, Bind and Execute with a Sync after each
        text = content.partition(b"\0")[2] if kind == b"P" else content if kind == b"Q" else b""
        named = kind == b"P" and not content.startswith(b"\0")
        self.pinned |= named or bool(KEEPS_A_STATE.match(text))

    async def _relay(self, server: DatabaseConnection) -> None:
        """Pass on what the server says, and give it back once the transaction is over."""
        try:
            while True:
                message = await _read(server.reader)
                self.writer.write(message)
                self.executed |= message[:1] == b"E"  # after an error there is nothing left to execute
                if message[:1] != b"Z":
                    continue
                self.answers -= 1
                busy = self.answers or self.unfinished or not self.executed
                if message[5:] == b"I" and not busy and not self.pinned:
                    self.server, self.executed = None, False
                    await self.pool.give_back(server)
                    return
        except GONE:
            self.writer.close()  # the database has gone, or the client


async def _read(reader: asyncio.StreamReader, kind: bytes | None = None) -> bytes:
    """One whole message; the opening one has no kind."""
    kind = await reader.readexactly(1) if kind is None else kind
    length = await reader.readexactly(4)
    return kind + length + await reader.readexactly(struct.unpack("!i", length)[0] - 4)


def _framed(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", len(content) + 4) + content


def _error(sqlstate: str, message: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": message}
    return _framed(b"E", b"".join(f"{name}{value}\0".encode() for name, value in fields.items()) + b"\0")


def _said(content: bytes) -> tuple[str, str]:
    """SQLSTATE and message of an ErrorResponse."""
    fields = {part[:1]: part[1:].decode(errors="replace") for part in content.split(b"\0") if part}
    return fields.get(b"C", "XX000"), fields.get(b"M", "the database refused the connection")


def _authenticate(writer: asyncio.StreamWriter, scram: "ScramClient", step: int, content: bytes) -> None:
    if step == 10:  # AuthenticationSASL
        first = scram.get_client_first().encode()
        writer.write(_framed(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first))
    elif step == 11:  # AuthenticationSASLContinue
        scram.set_server_first(content.decode())
        writer.write(_framed(b"p", scram.get_client_final().encode()))
    elif step == 12:  # AuthenticationSASLFinal
        scram.set_server_final(content.decode())
