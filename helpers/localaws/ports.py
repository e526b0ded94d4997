"""Free ports of 127.0.0.1. Standard library only."""

import random
import socket

from ..errors import WorkshopError

TRIES = 1000


class PortError(WorkshopError):
    """There is no free port; the message is one sentence for the reader."""


def is_free(port: int) -> bool:
    """Whether no program listens at this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, after a recent stop
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A free port of 127.0.0.1, below those that systems give to outgoing connections: it stays free longer."""
    tried = (random.randrange(20_000, 32_000) for _ in range(TRIES))
    for port in filter(is_free, tried):
        return port
    raise PortError("No port of 127.0.0.1 can be used; does this machine let programs listen there?")
