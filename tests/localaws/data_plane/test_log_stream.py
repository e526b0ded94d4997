"""From bytes to log events: lines, frames, and the tail, however the bytes are cut."""

import dataclasses
import struct
import time
import tracemalloc

import pytest
from localaws_client import FUNCTION

from helpers.localaws.data_plane.log_stream import EVENT_BYTES, LogStream, OutputReader


@pytest.fixture
def written():
    return []


@pytest.fixture
def stream(written):
    return LogStream(FUNCTION, "0" * 32, lambda function, name, events: written.extend(events))


@pytest.fixture
def stream_and_writes():
    """A stream, and the messages of each write."""
    writes = []
    stream = LogStream(FUNCTION, "0" * 32, lambda function, name, events: writes.append(messages(events)))
    return stream, writes


def messages(written):
    return [message for _, message in written]


def test_the_name_of_a_stream(stream):
    assert stream.name == time.strftime("%Y/%m/%d/", time.gmtime()) + "[$LATEST]" + "0" * 32


def test_the_name_of_a_stream_in_a_log_group_that_functions_may_share():
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html"""
    function = dataclasses.replace(FUNCTION, log_group="/shared")
    stream = LogStream(function, "0" * 32, lambda *_: None)
    assert stream.name == time.strftime("%Y/%m/%d/", time.gmtime()) + "f[$LATEST]" + "0" * 32


LINES = "one\n\nあいう\r\nlast é\n".encode()


@pytest.mark.parametrize("cut", range(len(LINES) + 1))
def test_lines_cut_at_any_byte(stream, written, cut):
    reader = OutputReader(stream)
    reader.feed(LINES[:cut])
    if cut < len(LINES):
        reader.feed(LINES[cut:])
    assert messages(written) == ["one\n", "\n", "あいう\r\n", "last é\n"]


def test_a_last_line_without_newline_ends_with_the_output(stream, written):
    reader = OutputReader(stream)
    reader.feed(b"whole\nhal")
    assert messages(written) == ["whole\n"]
    reader.feed(b"f")
    reader.feed(b"")
    reader.feed(b"")
    assert messages(written) == ["whole\n", "half\n"]


def test_bytes_that_are_no_utf_8_are_shown_as_such(stream, written):
    OutputReader(stream).feed(b"\xff\xfe\n")
    assert messages(written) == ["\ufffd\ufffd\n"]


@pytest.mark.parametrize("character", ["x", "é", "あ", "😀"])
def test_a_line_that_never_ends_is_cut_at_what_an_event_may_hold(stream, written, character):
    reader = OutputReader(stream)
    line = character.encode() * 400_000
    for start in range(0, len(line), 65536):
        reader.feed(line[start : start + 65536])
    *parts, last = messages(written)
    reader.feed(b"\n")
    assert "".join(messages(written)) == character * 400_000 + "\n"
    assert all(len(part.encode()) in range(EVENT_BYTES - 3, EVENT_BYTES + 1) for part in [*parts, last])


def test_a_line_that_comes_at_once_and_is_longer_than_an_event_is_cut_too(stream, written):
    OutputReader(stream).feed(b"x" * (EVENT_BYTES + 10) + b"\nnext\n")
    assert messages(written) == ["x" * EVENT_BYTES, "x" * 10 + "\n", "next\n"]


def test_bytes_that_are_no_utf_8_make_no_event_that_is_too_long(stream, written):
    OutputReader(stream).feed(b"\xff" * 200_000 + b"\n")
    assert "".join(messages(written)) == "\ufffd" * 200_000 + "\n"
    assert max(len(message.encode()) for message in messages(written)) <= EVENT_BYTES


def test_a_line_of_the_platform_is_cut_too(stream, written):
    stream.platform("あ" * 100_000)
    assert "".join(messages(written)) == "あ" * 100_000
    assert max(len(message.encode()) for message in messages(written)) <= EVENT_BYTES


@pytest.mark.parametrize("begin", [b"", struct.pack(">IIQ", 0xA55A0003, 48 * 2**20, 1_700_000_000_000_000)])
def test_what_is_not_whole_costs_a_bounded_amount(begin):
    """48 MB without a newline, and a frame of as many."""
    counted = []
    stream = LogStream(FUNCTION, "0" * 32, lambda function, name, events: counted.extend(len(m) for _, m in events))
    reader = OutputReader(stream)
    tracemalloc.start()
    try:
        reader.feed(begin + b"x" * 65520)
        for _ in range(48 * 16 - 1):
            reader.feed(b"x" * 65536)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert max(counted) <= EVENT_BYTES
    assert sum(counted) > 48 * 2**20 - 2 * EVENT_BYTES


def frame(text, microseconds=1_700_000_000_123_456):
    data = text.encode()
    return struct.pack(">IIQ", 0xA55A0003, len(data), microseconds) + data


FRAMES = frame("one\nwith two lines") + frame("") + frame("あ")


@pytest.mark.parametrize("cut", range(len(FRAMES) + 1))
def test_frames_cut_at_any_byte(stream, written, cut):
    reader = OutputReader(stream)
    reader.feed(FRAMES[:cut])
    reader.feed(FRAMES[cut:])
    assert written == [(1_700_000_000_123, text) for text in ("one\nwith two lines", "", "あ")]


MIXED = b"a line\n" + frame("[ERROR] one\ntwo") + b"dots..." + frame("x" * 9) + b"\nlast\n" + frame("end")


@pytest.mark.parametrize("cut", range(len(MIXED) + 1))
def test_lines_and_frames_keep_their_order_however_they_are_cut(stream, written, cut):
    reader = OutputReader(stream)
    for data in (MIXED[:cut], MIXED[cut:]):
        if data:  # b"" would be the end
            reader.feed(data)
    # A frame ends a line that it interrupts, and the newline of that line is not a line of its own.
    assert messages(written) == ["a line\n", "[ERROR] one\ntwo", "dots...\n", "x" * 9, "last\n", "end"]
    times = [at for at, _ in written]
    assert times == sorted(times)


LEVELS = [0xA55A0000 + each for each in (0x02, 0x03, 0x0A, 0x0B, 0x0E, 0x0F, 0x12, 0x13, 0x16, 0x17, 0x1A, 0x1B)]


@pytest.mark.parametrize("level", LEVELS)
def test_a_frame_of_any_level(stream, written, level):
    OutputReader(stream).feed(struct.pack(">IIQ", level, 4, 1_700_000_000_000_000) + b"text")
    assert messages(written) == ["text"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xa5\x5a\x00\x03 and more than a header\n",
        b"at the end of a line: \xa5\x5a\x00\x03\n",
        b"nothing but the type: \xa5\x5a\x00\x03",
        struct.pack(">IIQ", 0xA55A0003, 64 * 2**20 + 1, 1_700_000_000_000_000) + b"too long\n",
        struct.pack(">IIQ", 0xA55A0003, 4, 4_102_444_800_000_000) + b"text\n",
        struct.pack(">IIQ", 0xA55A0007, 4, 1_700_000_000_000_000) + b"text\n",
    ],
)
def test_what_only_looks_like_a_frame_is_a_line(stream, written, data):
    reader = OutputReader(stream)
    reader.feed(data)
    reader.feed(b"")
    assert messages(written) == [line + "\n" for line in data.decode("utf-8", "replace").split("\n") if line]


def test_of_a_frame_that_never_comes_whole_nothing_is_lost(stream, written):
    reader = OutputReader(stream)
    reader.feed(b"line\n" + frame("x" * 100)[:-40])
    assert messages(written) == ["line\n"]
    reader.feed(b"")
    reader.feed(b"next\n")
    assert messages(written) == ["line\n", "x" * 60 + "\n", "next\n"]


def test_of_what_comes_between_the_parts_of_a_large_frame_nothing_is_lost(stream, written):
    whole = frame("x" * 300_000)
    reader = OutputReader(stream)
    for data in (whole[:65536], b"a child's line\n", whole[65536:200_000], whole[200_000:], b"after\n"):
        reader.feed(data)
    text = "".join(messages(written))
    assert (text.count("x"), text.count("a child's line"), text.count("after")) == (300_000, 1, 1)


@pytest.mark.parametrize("cut", [65536, 100_000, 10**6])
def test_a_frame_that_is_longer_than_an_event_becomes_several_of_its_time(stream, written, cut):
    reader = OutputReader(stream)
    data = b"line\n" + frame("あ\n" * 200_000) + b"after\n"
    for start in range(0, len(data), cut):
        reader.feed(data[start : start + cut])
    first, *parts, last = written
    assert (first[1], last[1]) == ("line\n", "after\n")
    assert "".join(text for _, text in parts) == "あ\n" * 200_000
    assert [len(text.encode()) > EVENT_BYTES - 4 for _, text in parts] == [True, True, True, False]
    assert {at for at, _ in parts} == {first[0]}  # the time of the frame, which is not later


def test_an_event_is_never_earlier_than_the_one_before(stream, written):
    stream.put([(2000, "one\n"), (1000, "two\n")])
    stream.put([(1500, "three\n"), (3000, "four\n")])
    assert [at for at, _ in written] == [2000, 2000, 2000, 3000]


def test_the_tail_begins_anew_with_each_invocation(stream):
    stream.begin()
    stream.platform("first\n")
    stream.begin()
    stream.platform("second\n")
    stream.put([(1, "no newline"), (2, "third\n")])
    assert stream.text() == "second\nno newline\nthird\n"


def test_the_tail_is_the_last_4_kb_and_begins_with_a_whole_character(stream):
    stream.platform("あ" * 3000 + "\n")
    assert len(stream.text().encode()) in range(4094, 4097)
    assert set(stream.text()) == {"あ", "\n"}


def test_a_line_that_the_format_leaves_out_is_not_written(stream, written):
    stream.platform(None)
    assert written == []


def test_a_line_that_is_held_is_written_with_what_comes_next(stream_and_writes):
    stream, writes = stream_and_writes
    stream.begin()
    stream.hold("START\n")
    stream.hold(None)
    assert writes == []
    stream.platform("END\n", "REPORT\n")
    stream.release()
    assert writes == [["START\n", "END\n", "REPORT\n"]]
    assert stream.text() == "START\nEND\nREPORT\n"


def test_a_line_that_is_held_is_written_once_it_is_released(stream_and_writes):
    stream, writes = stream_and_writes
    stream.hold("START\n")
    stream.release()
    stream.platform("END\n")
    assert writes == [["START\n"], ["END\n"]]
