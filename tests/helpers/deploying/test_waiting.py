"""wait_until() returns once something holds, shows how long it waits, and does not wait for ever."""

import importlib

import pytest

from helpers import wait_until
from helpers.deploying.waiting import WaitError

MODULE = importlib.import_module("helpers.deploying.waiting")


class Clock:
    """A time that passes only while somebody sleeps; it stands in for the module time, and keeps the pauses."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)


class Shown:
    """Stands in for IPython's display: keeps every text that its one line had."""

    def __init__(self) -> None:
        self.texts = []

    def __call__(self, text, display_id):
        assert display_id is True and self.texts == []
        return self

    def update(self, text):
        self.texts.append(text.data)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(MODULE, "time", clock)
    return clock


@pytest.fixture
def shown(monkeypatch) -> Shown:
    shown = Shown()
    monkeypatch.setattr(MODULE, "display", shown)
    return shown


def test_what_holds_already_is_not_waited_for(clock, shown):
    wait_until(lambda: True, at_most_s=0)
    assert (clock.pauses, shown.texts) == ([], [])


def test_what_comes_soon_is_seen_soon_and_nothing_is_shown(clock, shown):
    wait_until(lambda: clock.now > 1)
    assert clock.pauses[0] == 0.05 and clock.now < 1.5
    assert shown.texts == []


def test_a_longer_wait_is_shown_and_looks_twice_a_second(clock, shown):
    wait_until(lambda: clock.now > 60)
    assert shown.texts[0] == "waited 2 s" and shown.texts[-1] in ("waited 59 s", "waited 60 s")
    assert clock.pauses[-1] == 0.5 and len(clock.pauses) < 130


def test_it_ends_with_a_sentence_when_the_time_is_over(clock, shown):
    with pytest.raises(WaitError, match="did not happen within 30 s; "):
        wait_until(lambda: False, at_most_s=30)
    assert 30 < clock.now < 31


def test_where_nothing_can_be_shown_it_waits_all_the_same(clock, monkeypatch):
    lines = []
    monkeypatch.setattr(MODULE, "display", lambda text, **_: lines.append(text))  # None, as IPython's in a script
    wait_until(lambda: clock.now > 5)
    assert len(lines) == 1


def test_what_the_condition_raises_ends_the_waiting(clock):
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0)
