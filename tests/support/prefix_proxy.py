"""A proxy that takes a prefix from addresses, as jupyter-server-proxy does: /user/ada/proxy/1/live is /live there."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator

END = b"\r\n\r\n"


@contextlib.contextmanager
def proxied(port: int, prefix: str) -> Iterator[str]:
    """Serve what is at `port` below `prefix`; gives the address, without a slash at its end."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=[listener, port, prefix], daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}{prefix}"
    finally:
        listener.close()


def _accept(listener: socket.socket, port: int, prefix: str) -> None:
    with contextlib.suppress(OSError):  # it is closed
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=[client, port, prefix], daemon=True).start()


def _serve(client: socket.socket, port: int, prefix: str) -> None:
    """One request of a connection, which is then the page's until it or the console closes it."""
    with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
        received = b""
        while END not in received:
            if not (part := client.recv(65536)):
                return
            received += part
        head, rest = received.split(END, 1)
        line, *fields = head.split(b"\r\n")
        method, path, version = line.split(b" ")
        if not path.startswith(prefix.encode() + b"/"):
            return client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        line = b" ".join([method, path[len(prefix) :], version])
        if not any(re.match(rb"(?i)upgrade:", each) for each in fields):
            fields = [each for each in fields if not re.match(rb"(?i)connection:", each)] + [b"Connection: close"]
        server.sendall(b"\r\n".join([line, *fields]) + END + rest)
        threading.Thread(target=_pipe, args=[client, server], daemon=True).start()
        _pipe(server, client)


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
