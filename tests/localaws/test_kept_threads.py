"""Threads that are kept: each work has one of its own, and its caller gets what it returns or raises."""

import asyncio
import contextvars
import sys
import threading

import pytest
from localaws_client import eventually

from helpers.localaws.kept_threads import KEPT, KeptThreads

who = contextvars.ContextVar("who", default="nobody")


def test_work_returns_or_raises_to_its_caller_in_the_callers_context():
    async def run():
        who.set("the caller")
        threads = KeptThreads()
        assert await threads.run(lambda number: (who.get(), number), 3) == ("the caller", 3)
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 / 0)
        assert await threads.run(threading.get_ident) != threading.get_ident()

    asyncio.run(run())


def test_one_after_another_is_the_same_thread():
    async def run():
        threads = KeptThreads()
        return {await threads.run(threading.get_ident) for _ in range(20)}

    assert len(asyncio.run(run())) == 1


def test_all_that_wait_for_each_other_have_a_thread_and_some_of_them_are_kept():
    number = KEPT + 20
    meeting = threading.Barrier(number, timeout=60)
    met = []

    def meet():
        meeting.wait()
        met.append(threading.get_ident())

    async def run():
        await asyncio.gather(*(threads.run(meet) for _ in range(number)))

    threads = KeptThreads()
    asyncio.run(run())
    assert len(met) == number
    eventually(lambda: len(sys._current_frames().keys() & {*met}) == KEPT)


def test_who_is_cancelled_is_so_once_the_work_has_ended():
    begun, may_end, ended = threading.Event(), threading.Event(), []

    def work():
        begun.set()
        may_end.wait(60)
        ended.append(True)

    async def run():
        task = asyncio.create_task(KeptThreads().run(work))
        while not begun.is_set():
            await asyncio.sleep(0)
        for _ in range(2):
            task.cancel()
            for _ in range(5):
                await asyncio.sleep(0)
        assert not task.done() and not ended
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended

    assert asyncio.run(run()) == [True]
