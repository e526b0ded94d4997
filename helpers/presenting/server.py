"""Serves the presenter page, for as long as a block lasts."""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..local_page import server
from ..local_page.access import Access
from .app import application
from .plans import Plan
from .talk import Talk

NAME = "presenter page"


class Served(NamedTuple):
    """A presenter page that is served: its address, good once, and who may use it."""

    address: str
    access: Access


@contextlib.contextmanager
def serving(
    plan: Plan, at: int, path_of: Callable[[str], str], port: int | None = None, hosts: tuple[str, ...] = ()
) -> Iterator[Served]:
    """Serve the page of a plan, from a step on. Raises LocalPageError where the port is taken."""
    listener, access = server.listen(NAME, "present", port, hosts)
    with server.served(application(access, Talk(plan, at), path_of), listener):
        yield Served(server.address(access), access)
