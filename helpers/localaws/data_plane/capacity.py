"""How many execution environments this machine carries at a time, and how many of them begin at once."""

import contextlib
import errno
import os
import resource
import threading
from collections.abc import Callable, Iterator

from ...facts import fact

ACCOUNT: int = fact("concurrency")  # of an account on AWS, unless it asks for more
# What an environment of a small function takes of this machine; `python3 -m helpers bench` measures it.
MEMORY_MB, DESCRIPTORS, PROCESSES = 8, 8, 3
# Of each what the rest of the workshop and of the machine is left.
OTHER_DESCRIPTORS, MEMORY_PART, PROCESSES_PART = 256, 0.75, 0.5
INITS_PER_CORE = 2
USED_UP = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOSPC}  # files, processes, memory, namespaces


class Exhausted(Exception):
    """No environment can begin, as others have used up what this machine has; its words for that are the message."""


def raise_descriptors() -> None:
    """Let this process have as many files open as the system lets it: the usual limit is for 100 environments."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except ValueError:  # macOS says "unlimited" and takes no more than this
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(10_240, hard) if hard > 0 else 10_240, hard))


def environments() -> int:
    """How many environments this machine carries now: by its memory, descriptors and processes, and AWS's limit."""
    import psutil  # not above: the command line asks before the environment is made

    soft, hard = (_number(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    processes = _number(resource.getrlimit(resource.RLIMIT_NPROC)[0])
    return max(
        1,
        min(
            ACCOUNT,
            int(psutil.virtual_memory().available / 2**20 * MEMORY_PART / MEMORY_MB),
            (max(soft, hard) - OTHER_DESCRIPTORS) // DESCRIPTORS,
            int(processes * PROCESSES_PART / PROCESSES),
        ),
    )


class Admission:
    """Lets a few environments begin at a time: all at once would only slow each other down.

    Each waits for `heard` first, in which the server takes the requests that have come meanwhile: of many that come
    together, those that begin must not slow down the others on their way in, or they would not run together.
    """

    def __init__(self, heard: Callable[[], None], places: int | None = None) -> None:
        self._heard = heard
        self._places = threading.Semaphore(places or INITS_PER_CORE * cores())

    @contextlib.contextmanager
    def place(self) -> Iterator[Callable[[], None]]:
        """Wait for a place, and have it while this lasts, or until the function that it gives is called."""
        self._places.acquire()
        left = threading.Lock()

        def leave() -> None:
            if left.acquire(blocking=False):
                self._places.release()

        try:
            self._heard()
            yield leave
        finally:
            leave()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _number(limit: int) -> int:
    return 2**31 if limit == resource.RLIM_INFINITY else limit
