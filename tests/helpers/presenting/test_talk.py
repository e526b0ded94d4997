"""What is on: the step, the clock, and who moves it, with a projector and without."""

import asyncio

import pytest

from helpers.presenting import plans, talk
from helpers.presenting.talk import Talk


class Watch:
    """A clock that a test sets."""

    time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def on(watch) -> Talk:
    return Talk(plans.of_lesson("01"), now=watch)


def test_without_a_projector_the_page_goes_on_alone(on):
    assert not on.has_projector and on.following == on.plan.steps[1]
    for do, at in (("back", 0), ("next", 1), ("next", 2), ("back", 1)):
        on.ask(do)
        assert on.at == at
    on.ask("go", len(on.plan.steps) - 1)
    assert on.following is None
    on.ask("next")
    assert on.at == len(on.plan.steps) - 1


def test_the_clock_begins_with_the_first_move(on, watch):
    on.shown(0, is_move=False)
    assert on.pace() is None, "the projector has only been opened"
    watch.time = 100
    on.shown(0, is_move=True)
    watch.time = 130
    assert on.pace().elapsed == on.pace().spent == 30


def test_the_time_of_a_section_counts_over_all_visits(on, watch):
    on.start()
    for at, step in ((10, 1), (40, 2), (45, 1)):
        watch.time = at
        on.shown(step, is_move=True)
    watch.time = 50
    assert on.pace().spent == 30 + 5
    on.start()
    watch.time = 52
    assert (on.pace().spent, on.pace().elapsed) == (2, 2)
    on.stop()
    assert on.pace() is None


def test_a_plan_that_begins_in_its_middle_counts_from_there(watch):
    on = Talk(plans.read("evening"), at=22, now=watch)
    on.start()
    assert on.pace().ahead == 0
    assert on.pace().planned == sum(step.minutes for step in on.plan.steps[22:]) * 60
    on.shown(3, is_move=True)
    assert on.pace().ahead == 0, "what stands before it has no time in this session, so that it begins there"


def test_a_projector_is_asked_and_says_what_it_shows(on):
    async def session() -> None:
        assert (await on.asked(None))["number"] == 0, "what was asked before it came is not for it"
        waiting = asyncio.create_task(on.asked(0))
        await asyncio.sleep(0)
        assert on.has_projector
        on.ask("next")
        assert (await waiting) == {"number": 1, "do": "next", "step": 0}
        assert on.at == 0, "it moves once the projector has"
        on.shown(1, is_move=True)
        assert on.at == 1

    asyncio.run(session())


def test_a_projector_that_went_away_is_not_waited_for(on, watch):
    async def session() -> None:
        await on.asked(None)
        assert on.has_projector, "it asks again in a moment"
        watch.time = talk.GONE_S + 1
        assert not on.has_projector
        on.ask("next")
        assert on.at == 1

    asyncio.run(session())


def test_a_page_hears_of_a_change_and_of_no_change(on, monkeypatch):
    async def session() -> None:
        before = on.version
        waiting = asyncio.create_task(on.changed(before))
        await asyncio.sleep(0)
        on.shown(1, is_move=True)
        assert await waiting > before
        assert await on.changed(before) == on.version, "what it has missed it hears at once"
        monkeypatch.setattr(talk, "ASK_S", 0.01)
        assert await on.changed(on.version) == on.version

    asyncio.run(session())
