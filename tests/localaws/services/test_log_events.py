"""Log events on disk: a list like any other, whatever is in it, which costs no memory and ends with its last user."""

import gc
import sqlite3
import tracemalloc

import pytest
from localaws_client import eventually

from helpers.localaws.services.log_events import BLOCK_BYTES, BLOCK_EVENTS, OVERHEAD_BYTES, EventFile

WITHOUT_ID = ("timestamp", "message", "ingestionTime")


@pytest.fixture
def file(tmp_path):
    file = EventFile(tmp_path / "new folder" / "events.sqlite")
    yield file
    file.close()


def event(number, message="a line\n"):
    return {"timestamp": 1_700_000_000_000 + number, "message": message, "ingestionTime": 1_700_000_000_000}


def without_ids(events):
    return [{name: each[name] for name in WITHOUT_ID} for each in events]


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
def test_it_reads_as_a_list_does(file, sizes):
    events, same = file.events(), []
    for size in sizes:
        more = [event(len(same) + number, f"{len(same) + number}\n" * 3) for number in range(size)]
        events.extend(more)
        same.extend(more)
    assert len(events) == len(same) and bool(events) == bool(same)
    assert without_ids(events) == same
    length = len(same)
    for part in (slice(None), slice(3), slice(-2, None), slice(length // 3, -1), slice(5, 2), slice(1, None, 7)):
        assert without_ids(events[part]) == same[part]
    for place in {0, length // 2, length - 1, -1, -length} if same else ():
        assert without_ids([events[place]]) == [same[place]]
    for place in (length, -length - 1):
        with pytest.raises(IndexError):
            events[place]
    assert events.size == sum(len(each["message"]) + OVERHEAD_BYTES for each in same)


@pytest.mark.parametrize("message", ["", "\n", "あ😀\n", "a\x00b", "\ud800", "x" * 2**20])
@pytest.mark.parametrize("after", [0, BLOCK_BYTES])
def test_any_message_is_kept_as_it_is(file, message, after):
    events = file.events([event(1, message), event(2, "x" * after)])
    assert events[0]["message"] == message


def test_each_event_has_an_id_of_56_digits_which_stays(file):
    events = file.events([event(number) for number in range(1000)])
    before = [each["eventId"] for each in events]
    events.extend([event(1000, "x" * BLOCK_BYTES)])
    assert [each["eventId"] for each in events][:1000] == before
    assert len(set(before)) == 1000 and {len(id_) for id_ in before} == {56} and "".join(before).isdigit()


def test_an_id_that_a_client_was_told_stays(file):
    assert file.events([{**event(1), "eventId": "told"}])[0]["eventId"] == "told"


def test_who_reads_is_not_disturbed_by_who_appends(file):
    events = file.events([event(number) for number in range(10)])
    reading = iter(events)
    first = [next(reading) for _ in range(5)]
    events.extend([event(10, "x" * BLOCK_BYTES)])
    assert without_ids(first + list(reading)) == [event(number) for number in range(10)]


def test_a_copy_begins_in_the_middle_and_leaves_the_other_as_it_was(file):
    events = file.events([event(number, f"{number}" * 20) for number in range(5000)])
    before, middle = list(events), events.middle()
    assert abs(middle - 2500) <= BLOCK_EVENTS
    copied = file.events([event(0, "first")], events, middle)
    assert copied[0]["message"] == "first"
    assert without_ids(copied[1:]) == without_ids(before[middle:])
    assert copied.dropped == middle
    assert list(events) == before
    copied.extend([event(9000, "last")])
    assert copied[-1]["message"] == "last" and len(copied) == 5000 - middle + 2
    assert copied.size == sum(len(each["message"]) + OVERHEAD_BYTES for each in copied)


def test_the_middle_of_one_block_is_its_end(file):
    events = file.events([event(1)])
    copied = file.events([event(0, "first")], events, events.middle())
    assert [each["message"] for each in copied] == ["first"]
    assert copied.dropped == 1


def test_what_nobody_uses_is_deleted_and_the_file_shrinks(file, tmp_path):
    path = tmp_path / "new folder" / "events.sqlite"
    kept = file.events([event(1, "x" * 2**20)])
    large = file.events([event(number, "x" * 2**18) for number in range(40)])
    part = file.events([], large, large.middle())
    assert path.stat().st_size > 10 * 2**20
    del large, part
    gc.collect()
    eventually(lambda: file.size == kept.size)
    eventually(lambda: path.stat().st_size < 2 * 2**20)
    assert len(kept[0]["message"]) == 2**20


def test_close_deletes_the_file(file, tmp_path):
    events = file.events([event(1, "x" * 2**20)])
    file.close()
    assert list(tmp_path.rglob("*.*")) == []
    with pytest.raises(sqlite3.Error):
        events.extend([event(2, "x" * 2**20)])


def test_a_file_that_was_left_behind_is_none_of_ours(tmp_path):
    (tmp_path / "events.sqlite").write_bytes(b"of a server that was killed")
    file = EventFile(tmp_path / "events.sqlite")
    assert file.events([event(1, "x" * 2**20)])[0]["timestamp"] == event(1)["timestamp"]
    file.close()


def test_events_cost_no_memory(file):
    """16 MB of them, appended and read."""
    events = file.events()
    tracemalloc.start()
    try:
        for number in range(256):
            events.extend([event(number, "x" * 127 + "\n")] * 512)
        assert sum(len(each["message"]) for each in events) == 16 * 2**20
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_without_room_nothing_is_appended_and_what_is_there_stays(file):
    events = file.events([event(number) for number in range(1000)])
    before = list(events)
    file._db.execute("pragma max_page_count = 64")  # what a full disk does
    with pytest.raises(sqlite3.Error):
        events.extend([event(1000, "x" * 2**20)])
    assert list(events) == before
    file._db.execute("pragma max_page_count = 100000")
    events.extend([event(1000, "x" * 2**20)])
    assert len(events) == 1001
