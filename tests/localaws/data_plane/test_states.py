"""The states of an execution environment: what each allows, and that everything else is refused."""

from types import SimpleNamespace

import pytest

from helpers.localaws.data_plane import states
from helpers.localaws.data_plane.states import (
    Closed,
    Created,
    Ended,
    Invoking,
    Ready,
    Starting,
    State,
    TransitionNotAllowed,
)

ALLOWED = {
    Created: {"start": Starting, "end": Ended, "close": Closed},
    Starting: {"ready": Ready, "end": Ended, "close": Closed},
    Ready: {"invoke": Invoking, "end": Ended, "close": Closed},
    Invoking: {"ready": Ready, "end": Ended, "close": Closed},
    Ended: {"start": Starting, "end": Ended, "close": Closed},
    Closed: {},
}
TRANSITIONS = ("start", "ready", "invoke", "end", "close")
WITH_PROCESS = {Starting, Ready, Invoking}


class FakeProcess:
    """Notes what is done to it, and to its sandbox."""

    def __init__(self):
        self.told = []
        self.sandbox = SimpleNamespace(freeze=lambda: self.told.append("freeze"), thaw=lambda: self.told.append("thaw"))
        self.api = SimpleNamespace(give=self.told.append)

    def close(self):
        self.told.append("close")


@pytest.fixture
def process():
    return FakeProcess()


def state_of(kind, process):
    return kind(process) if kind in WITH_PROCESS else kind()


def leave(state, transition, begin=FakeProcess):
    arguments = {"start": [begin], "invoke": ["an invocation"]}.get(transition, [])
    return getattr(state, transition)(*arguments)


def test_every_state_is_here():
    found = {kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, State)}
    assert {kind for kind in found if kind is not State and not kind.__name__.startswith("_")} == ALLOWED.keys()


@pytest.mark.parametrize(
    ("before", "transition", "after"),
    [(before, transition, after) for before, allowed in ALLOWED.items() for transition, after in allowed.items()],
)
def test_what_is_allowed(process, before, transition, after):
    assert type(leave(state_of(before, process), transition)) is after


@pytest.mark.parametrize(
    ("before", "transition"),
    [
        (state, transition)
        for state, allowed in ALLOWED.items()
        for transition in TRANSITIONS
        if transition not in allowed
    ],
)
def test_what_is_not_allowed_is_refused_and_touches_no_process(process, before, transition):
    with pytest.raises(TransitionNotAllowed, match=f"that is {before.__name__} cannot"):
        leave(state_of(before, process), transition, begin=lambda: pytest.fail("a process was started"))
    assert process.told == []


def test_a_state_in_which_a_process_runs_has_it_and_no_other_does(process):
    for kind in ALLOWED:
        assert hasattr(state_of(kind, process), "process") is (kind in WITH_PROCESS)


def test_the_process_is_handed_on_frozen_and_thawed(process):
    starting = Created().start(lambda: process)
    assert starting.process is process and process.told == []
    ready = starting.ready()
    assert ready.process is process and process.told == ["freeze"]
    invoking = ready.invoke("an invocation")
    assert invoking.process is process and process.told == ["freeze", "an invocation", "thaw"]
    assert invoking.ready().process is process and process.told == ["freeze", "an invocation", "thaw", "freeze"]


@pytest.mark.parametrize("kind", [Starting, Ready, Invoking])
@pytest.mark.parametrize("transition", ["end", "close"])
def test_the_end_of_a_state_is_the_end_of_its_process(process, kind, transition):
    leave(kind(process), transition)
    assert process.told == ["close"]


def test_a_process_that_cannot_be_started_leaves_the_state_as_it_is():
    created = Created()
    with pytest.raises(OSError, match="no memory"):
        created.start(lambda: (_ for _ in ()).throw(OSError("no memory")))
    assert type(created.close()) is Closed
