"""A class on loopback, and a work folder of a learner beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.classroom.instructor import server
from helpers.classroom.instructor.server import Served
from helpers.classroom.learner import kernel
from helpers.session import record


@pytest.fixture
def instructor(tmp_path) -> Path:
    """The work folder of the instructor."""
    return tmp_path / "instructor"


@pytest.fixture
def open_class(instructor, free_port, monkeypatch) -> Callable[..., object]:
    """Serve a class while a block lasts: open_class() again is the instructor who starts it again."""
    port = free_port()

    @contextmanager
    def serve(word: str = "green tiger", address: str = "127.0.0.1") -> Iterator[Served]:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("WORKSHOP_HOME", str(instructor))
            serving = server.serving(word, address, port)
            served = serving.__enter__()
        try:
            yield served
        finally:
            serving.__exit__(None, None, None)

    return serve


@pytest.fixture
def served(open_class) -> Iterator[Served]:
    with open_class() as served:
        yield served


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The work folder of a learner, whose kernel is that of notebook 04; its thread is there, but does not run."""
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path / "learner"))
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/04-cold-start.ipynb")
    monkeypatch.delenv("WORKSHOP_CLASS", raising=False)
    monkeypatch.setattr(record, "_warned", False)
    follower = kernel.Follower()
    monkeypatch.setattr(follower, "start", lambda: None)
    monkeypatch.setattr(kernel, "follower", follower)
    return tmp_path / "learner"
