"""Serves a class, for as long as a block lasts: learners at one address, and the page for this machine alone."""

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterator
from typing import NamedTuple

from ... import settings
from ...local_page import server
from .. import place
from ..place import ClassError
from . import words
from .learner_api import LearnerApi
from .page import ClassPage
from .store import FILE, ClassStore, delete

NAME = "class page"  # of its cookie, and of the file that keeps it


class Served(NamedTuple):
    """A class that is served: what opens its page, once; what learners type; what it keeps."""

    page: str
    place: place.Place
    store: ClassStore


@contextlib.contextmanager
def serving(
    word: str = "", address: str = place.HERE, port: int = place.PORT, hosts: tuple[str, ...] = ()
) -> Iterator[Served]:
    """Serve the class of the work folder: the one that is open, or a new one. Without `word` it keeps its own.

    Raises ClassError for a word or an address that cannot be, or where the port is taken.
    """
    word = place.known_word(word) if word else ""
    host = _numeric(address)
    listener = _listen(host, port)
    with contextlib.closing(listener), contextlib.closing(ClassStore(settings.home() / FILE)) as store:
        where = place.Place(word or store.word or words.new_word(), host, port)
        store.begin(where.word, where.address)
        page_listener, access = server.listen(NAME, "class", None, hosts)
        learners = server.served(LearnerApi(store).application(), listener)
        with learners, server.served(ClassPage(store, access, where).application(), page_listener):
            yield Served(server.address(access), where, store)
        if not store.is_open:  # it was ended on its page
            delete(store.file)


def _numeric(address: str) -> str:
    """An IP address for what was given. Raises ClassError."""
    try:
        if not address.strip():  # which getaddrinfo takes for this machine
            raise OSError
        found = str(socket.getaddrinfo(address.strip("[]"), None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        raise ClassError(
            f"--address {address!r} is no address; give the one that this machine has in its network."
        ) from None
    if ipaddress.ip_address(found.partition("%")[0]).is_unspecified:
        raise ClassError(
            f"--address {address} would be every network of this machine; name the address in one of them."
        )
    return found


def _listen(host: str, port: int) -> socket.socket:
    if not 1024 <= port <= 65535:
        raise ClassError(f"--port {port} is none for a class; choose one from 1024 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ClassError(f"Port {port} is taken; is a class open already? --port chooses another.") from None
        raise ClassError(f"This machine does not have the address {host}; --address takes one that it has.") from None
