"""When the state is saved, and what is written then."""

import asyncio
import os
import sqlite3

import pytest

from helpers.localaws.saved_state import saver
from helpers.localaws.saved_state.pickles import encoded
from helpers.localaws.saved_state.saver import NotSaved, Saver
from helpers.localaws.saved_state.state_file import Change, StateFile
from helpers.localaws.saved_state.stores import LONG, Store


class Kept:
    """Three stores and the file that they are saved to; `writes` are the changes that were written."""

    def __init__(self, path):
        self.one, self.other, self.points = {}, {}, {}
        self.file = StateFile(path)
        self.writes: list[Change] = []
        write = self.file.write

        def noted(change):
            write(change)
            self.writes.append(change)

        self.file.write = noted
        stores = [
            Store("one", "first", self.one.items, self.one.__setitem__, has_blobs=True),
            Store("other", "second", self.other.items, self.other.__setitem__),
            Store("points", "third", self.points.items, self.points.__setitem__, appends=True),
        ]
        self.saver = Saver(self.file, lambda: stores)


def full(change):
    """What a file's `write` does where there is no room."""
    raise sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def reopened(tmp_path):
    """Give what is in the file, as the next server would have it."""
    opened = []

    def reopen(kept=None):
        if kept:
            kept.file.close()
        opened.append(Kept(tmp_path / "state.sqlite"))
        opened[-1].saver.restore()
        return opened[-1]

    yield reopen
    for each in opened:
        each.file.close()


def test_what_was_saved_is_there_and_nothing_else(reopened):
    kept = reopened()

    async def save():
        kept.one["a"], kept.other["b"] = {"x": 1}, [2]
        await kept.saver.save(frozenset({"first"}))
        kept.one["never"] = 3

    asyncio.run(save())
    assert reopened(kept).one == {"a": {"x": 1}}


def test_only_what_has_changed_is_written(reopened):
    kept = reopened()

    async def save():
        kept.one.update({str(number): {"n": number} for number in range(500)})
        await kept.saver.save()
        kept.one["7"]["n"] = -1
        del kept.one["8"]
        await kept.saver.save()
        await kept.saver.save()

    asyncio.run(save())
    assert len(kept.writes) == 2
    assert {key: data is None for (_, (key, _, _)), data in kept.writes[1].pieces.items()} == {"7": False, "8": True}
    again = reopened(kept)
    assert again.one == kept.one and list(again.one) == list(kept.one)


def test_those_who_wait_at_the_same_time_share_one_write(reopened):
    kept = reopened()

    async def change(number):
        kept.one[number] = number
        await kept.saver.save(frozenset({"first"}))

    async def all_at_once():
        await asyncio.gather(*map(change, range(50)))

    asyncio.run(all_at_once())
    assert len(kept.writes) <= 2
    assert reopened(kept).one == {number: number for number in range(50)}


def test_large_values_are_written_once_and_go_with_the_last_that_holds_them(reopened):
    kept, code = reopened(), os.urandom(100_000)

    async def save():
        for name in ("a", "b"):
            kept.one[name] = {"code": code}
            await kept.saver.save()
        kept.one["a"]["more"] = 1
        await kept.saver.save()

    asyncio.run(save())
    assert [len(change.blobs) for change in kept.writes] == [1, 0, 0]
    again = reopened(kept)
    assert again.one["b"]["code"] == code and len(again.file.blobs()) == 1

    async def forget():
        again.one.clear()
        await again.saver.save()
        await again.saver.save()

    asyncio.run(forget())
    again.saver.close()
    assert reopened().file.blobs() == set()


def test_the_file_gets_smaller_with_what_is_in_it(reopened, tmp_path):
    kept, path = reopened(), tmp_path / "state.sqlite"
    kept.one |= {name: {"code": os.urandom(100_000)} for name in "abc"}
    kept.other |= {name: "x" * 10_000 for name in range(50)}
    kept.saver.close()
    assert path.stat().st_size > 800_000
    again = reopened()
    again.one.clear()
    again.other.clear()
    asyncio.run(again.saver.save())
    again.saver.close()
    assert path.stat().st_size < 100_000


def test_what_several_hold_is_one_value_again_and_no_save_looks_at_it_anew(reopened, monkeypatch):
    kept, code = reopened(), bytes(100_000)
    kept.one["latest"], kept.one["version"] = {"code": code}, {"code": code}
    asyncio.run(kept.saver.save())
    looked_at = []
    again = reopened(kept)
    assert again.one["latest"]["code"] is again.one["version"]["code"]
    monkeypatch.setattr("helpers.localaws.saved_state.pickles.digest_of", looked_at.append)
    asyncio.run(again.saver.save())
    assert looked_at == []


def test_what_is_only_appended_to_is_not_encoded_anew(reopened, monkeypatch):
    kept, looked_at = reopened(), []
    kept.points["a"] = [{"n": number} for number in range(5 * LONG + 1)]
    asyncio.run(kept.saver.save())
    monkeypatch.setattr(saver, "encoded", lambda value, blobs: looked_at.append(value) or encoded(value, blobs))
    kept.points["a"] += [{"n": -1}, {"n": -2}]
    asyncio.run(kept.saver.save())
    assert looked_at == [[], kept.points["a"][-3:]]
    kept.points["a"][3:7] = [{"n": -3}]  # as what is old is put together: all that follows moves up
    asyncio.run(kept.saver.save())
    assert len(looked_at) == 2 + 1 + 5
    assert reopened(kept).points == kept.points


def test_what_is_full_and_could_not_be_written_is_written_later(reopened, monkeypatch):
    kept = reopened()
    write = kept.file.write

    kept.points["a"] = [{"n": number} for number in range(LONG + 1)]
    asyncio.run(kept.saver.save())
    kept.points["a"].insert(0, {"n": -1})
    kept.file.write = full
    with pytest.raises(NotSaved):
        asyncio.run(kept.saver.save())
    kept.file.write = write
    asyncio.run(kept.saver.save())
    assert reopened(kept).points == kept.points


def test_what_cannot_be_written_is_said_and_written_later(reopened):
    kept = reopened()
    write = kept.file.write

    async def save():
        kept.one["before"] = 1
        await kept.saver.save()
        kept.file.write = full
        kept.one["meanwhile"] = 2
        with pytest.raises(NotSaved, match=r"cannot save its state: database or disk is full\."):
            await kept.saver.save()
        assert kept.saver.failed
        kept.file.write = write
        await kept.saver.save(frozenset({"first"}))
        assert not kept.saver.failed

    asyncio.run(save())
    assert reopened(kept).one == {"before": 1, "meanwhile": 2}


def test_a_value_that_is_not_plain_is_said_and_keeps_nobody_up(reopened, caplog):
    kept = reopened()

    async def save():
        kept.one["odd"], kept.one["plain"] = lambda: None, 1
        await kept.saver.save()
        await kept.saver.save()

    asyncio.run(save())
    assert [record.getMessage().startswith("'odd' of one cannot be saved: ") for record in caplog.records] == [True]
    assert reopened(kept).one == {"plain": 1}
