"""From bytes to log events: lines, frames, and the tail, however the bytes are cut."""

import struct
import time

import pytest

from helpers.localaws.function import Function
from helpers.localaws.log_stream import EVENT_BYTES, FrameReader, LineReader, LogStream

FUNCTION = Function(
    name="f",
    version="$LATEST",
    arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    account="000000000000",
    region="us-east-1",
    runtime="python3.13",
    handler="app.handler",
    timeout_s=3,
    memory_mb=128,
    variables={},
    log_group="/aws/lambda/f",
    log_format="Text",
    log_levels={},
    code=b"",
)


@pytest.fixture
def written():
    return []


@pytest.fixture
def stream(written):
    return LogStream(FUNCTION, "0" * 32, lambda function, name, events: written.extend(events))


def messages(written):
    return [message for _, message in written]


def test_the_name_of_a_stream(stream):
    assert stream.name == time.strftime("%Y/%m/%d/", time.gmtime()) + "[$LATEST]" + "0" * 32


LINES = "one\n\nあいう\r\nlast é\n".encode()


@pytest.mark.parametrize("cut", range(len(LINES) + 1))
def test_lines_cut_at_any_byte(stream, written, cut):
    reader = LineReader(stream)
    reader.feed(LINES[:cut])
    if cut < len(LINES):
        reader.feed(LINES[cut:])
    assert messages(written) == ["one\n", "\n", "あいう\r\n", "last é\n"]


def test_a_last_line_without_newline_ends_with_the_output(stream, written):
    reader = LineReader(stream)
    reader.feed(b"whole\nhal")
    assert messages(written) == ["whole\n"]
    reader.feed(b"f")
    reader.feed(b"")
    reader.feed(b"")
    assert messages(written) == ["whole\n", "half\n"]


def test_bytes_that_are_no_utf_8_are_shown_as_such(stream, written):
    LineReader(stream).feed(b"\xff\xfe\n")
    assert messages(written) == ["\ufffd\ufffd\n"]


def test_a_line_that_never_ends_is_cut_at_what_an_event_may_hold(stream, written):
    reader = LineReader(stream)
    for _ in range(20):
        reader.feed(b"x" * 65536)
    reader.feed(b"")
    assert sum(message.count("x") for message in messages(written)) == 20 * 65536
    assert all(len(message) <= EVENT_BYTES + 65537 for message in messages(written))


def frame(text, microseconds=1_700_000_000_123_456):
    data = text.encode()
    return struct.pack(">IIQ", 0xA55A0003, len(data), microseconds) + data


FRAMES = frame("one\nwith two lines") + frame("") + frame("あ")


@pytest.mark.parametrize("cut", range(len(FRAMES) + 1))
def test_frames_cut_at_any_byte(stream, written, cut):
    reader = FrameReader(stream)
    reader.feed(FRAMES[:cut])
    reader.feed(FRAMES[cut:])
    assert written == [(1_700_000_000_123, text) for text in ("one\nwith two lines", "", "あ")]


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
