"""Log events on disk: a list in order, whatever is in it, which costs no memory and ends with its last user."""

import gc
import sqlite3
import tracemalloc

import pytest
from localaws_client import eventually

from helpers.localaws.services.logs.log_events import BLOCK_BYTES, BLOCK_EVENTS, OVERHEAD_BYTES, EventFile

T0 = 1_700_000_000_000


@pytest.fixture
def file(tmp_path):
    file = EventFile(tmp_path / "new folder" / "events.sqlite")
    yield file
    file.close()


def event(number, message="a line\n", timestamp=None):
    return (T0 + number if timestamp is None else timestamp, number, T0, message)


def list_of(file, *events):
    made = file.events()
    made.extend(events)
    return made


def kept(events):
    return list(events.forward())


# In one piece and in many, in memory and in the file, and in both.
APPENDED = {
    "nothing": [],
    "one": [1],
    "few at a time": [3] * 20,
    "many at a time": [400] * 5,
    "more than a block": [BLOCK_EVENTS * 3 + 1],
    "few after many": [2000, 1, 2, 3],
    "none among others": [2, 0, 700, 0, 1],
}


@pytest.mark.parametrize("sizes", APPENDED.values(), ids=APPENDED)
def test_it_reads_from_any_place_forward_and_backward(file, sizes):
    events, same = file.events(), []
    for size in sizes:  # three have the same timestamp
        numbers = range(len(same), len(same) + size)
        more = [event(number, f"{number}\n" * 3, T0 + number // 3) for number in numbers]
        events.extend(more)
        same += more
    assert len(events) == len(same) and bool(events) == bool(same)
    assert kept(events) == same
    length = len(same)
    for place in {0, length // 3, length // 2, length - 1} if same else ():
        assert list(events.forward(same[place][:2])) == same[place:]
        assert list(events.backward(same[place][:2])) == same[:place][::-1]
        first = next(number for number, each in enumerate(same) if each[0] == same[place][0])
        assert list(events.forward((same[place][0], 0))) == same[first:]
    assert list(events.forward((T0 + length, 0))) == []
    assert list(events.backward((T0 + length, 0))) == same[::-1]
    assert events.size == sum(len(each[3]) + OVERHEAD_BYTES for each in same)


@pytest.mark.parametrize("message", ["", "\n", "あ😀\n", "a\x00b", "\ud800", "x" * 2**20])
@pytest.mark.parametrize("after", [0, BLOCK_BYTES])
def test_any_message_is_kept_as_it_is(file, message, after):
    events = list_of(file, event(1, message), event(2, "x" * after))
    assert kept(events)[0][3] == message


def test_ministack_reads_events_with_an_id_of_56_digits_which_stays_and_is_in_their_order(file):
    events = list_of(file, *(event(number, "x" * 100) for number in range(1000)))
    before = [each["eventId"] for each in events]
    assert next(iter(events)) == {"timestamp": T0, "message": "x" * 100, "ingestionTime": T0, "eventId": before[0]}
    assert sorted(set(before)) == before and {len(id_) for id_ in before} == {56} and "".join(before).isdigit()
    events.extend([event(1000, "x" * BLOCK_BYTES)])
    late = events.with_late([(T0 + 10, 1001, T0, "late")])
    newer = events.newer(0.5, str)
    assert [each["eventId"] for each in events][:1000] == before
    assert set(before) < {each["eventId"] for each in late}
    assert {each["eventId"] for each in newer} <= {*before, *(each["eventId"] for each in events)}


def test_who_reads_is_not_disturbed_by_who_appends(file):
    events = list_of(file, *(event(number) for number in range(10)))
    reading = events.forward()
    first = [next(reading) for _ in range(5)]
    events.extend([event(10, "x" * BLOCK_BYTES)])
    assert first + list(reading) == [event(number) for number in range(10)]


@pytest.mark.parametrize("count", [1, 20, 5000])
@pytest.mark.parametrize("at", [0, 0.5, 1])
def test_late_events_come_to_their_places_in_a_new_list(file, count, at):
    same = [event(10 * number, f"{number}" * 20) for number in range(count)]
    events = list_of(file, *same)
    place = int(at * (count - 1)) * 10
    late = [(T0 + place, 90_000 + number, T0 + 1, "late") for number in range(3)]  # after the one of the same time
    merged = events.with_late(late)
    assert kept(merged) == sorted([*same, *late])
    assert kept(events) == same
    assert len(merged) == count + 3
    assert merged.size == events.size + 3 * (4 + OVERHEAD_BYTES)
    merged.extend([event(99_999_999, "last")])
    assert kept(merged)[-1][3] == "last"


def test_the_newer_half_begins_with_what_stands_for_the_older_and_leaves_the_list_as_it_was(file):
    same = [event(number, f"{number}" * 20) for number in range(5000)]
    events = list_of(file, *same)
    newer = events.newer(0.5, lambda count: f"{count} dropped")
    first, *others = kept(newer)
    dropped = 5000 - len(others)
    assert abs(dropped - 2500) <= BLOCK_EVENTS
    assert first == (*same[dropped - 1][:3], f"{dropped} dropped")
    assert others == same[dropped:]
    assert kept(events) == same
    newer.extend([event(9000, "last")])
    assert kept(newer)[-1][3] == "last" and len(newer) == len(others) + 2
    assert newer.size == sum(len(each[3]) + OVERHEAD_BYTES for each in kept(newer))
    again = newer.newer(0.5, lambda count: f"{count} dropped")
    assert kept(again)[0][3] == f"{5000 - len(again) + 2} dropped"
    assert list(again.forward(same[4500][:2])) == [*same[4500:], event(9000, "last")]


def test_of_one_block_nothing_is_newer(file):
    assert [each[3] for each in kept(list_of(file, event(1)).newer(0.5, str))] == ["1"]


def test_what_nobody_uses_is_deleted_and_the_file_shrinks(file, tmp_path):
    path = tmp_path / "new folder" / "events.sqlite"
    one = list_of(file, event(1, "x" * 2**20))
    large = list_of(file, *(event(number, "x" * 2**18) for number in range(40)))
    part = large.newer(0.5, str)
    assert path.stat().st_size > 10 * 2**20
    del large, part
    gc.collect()
    assert file.size > 10 * 2**20  # the lists may be among those that are saved
    file.mark()()
    eventually(lambda: file.size == one.size)
    assert len(kept(one)[0][3]) == 2**20
    file.close()
    assert path.stat().st_size < 2 * 2**20


def test_a_file_that_was_closed_is_as_it_was(file, tmp_path):
    same = [event(number, "x" * 100) for number in range(1000)]
    events = list_of(file, *same)
    saved = events.saved()
    file.close()
    with pytest.raises(sqlite3.Error):
        events.extend([event(2000, "x" * 2**20)])
    again = EventFile(tmp_path / "new folder" / "events.sqlite")
    events = again.restored(saved)
    again.resume([events.last_number], {events.name})
    assert (kept(events), again.number()) == (same, 1000)
    again.close()


def test_events_cost_no_memory(file):
    """16 MB of them, appended and read."""
    events = file.events()
    tracemalloc.start()
    try:
        for number in range(256):
            events.extend([event(number, "x" * 127 + "\n")] * 512)
        assert sum(len(each[3]) for each in events.forward()) == 16 * 2**20
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_without_room_nothing_is_appended_and_what_is_there_stays(file):
    events = list_of(file, *(event(number) for number in range(1000)))
    before = kept(events)
    file._db.execute("pragma max_page_count = 64")  # what a full disk does
    with pytest.raises(sqlite3.Error):
        events.extend([event(1000, "x" * 2**20)])
    assert kept(events) == before
    file._db.execute("pragma max_page_count = 100000")
    events.extend([event(1000, "x" * 2**20)])
    assert len(events) == 1001


@pytest.mark.parametrize("first", [0, 1, 400, 1999, 2000, 2002, 2003])
def test_the_events_since_a_place(file, first):
    same = [event(number) for number in range(2003)]
    events = list_of(file, *same[:2000])
    events.extend(same[2000:])
    since = events.since((T0 + first, 0))
    assert kept(since) == same[first:]
    assert since.size == sum(len(each[3]) + OVERHEAD_BYTES for each in same[first:])
    since.extend([event(3000)])
    assert kept(since)[-1] == event(3000) and kept(events) == same
