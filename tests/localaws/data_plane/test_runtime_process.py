"""What an execution environment hears of its process: words, output, an end, or nothing in time."""

import os
import time

import pytest
from localaws_client import FUNCTION

from helpers.localaws.data_plane import limits
from helpers.localaws.data_plane.log_stream import LogStream
from helpers.localaws.data_plane.runtime_api import Message, RuntimeApi
from helpers.localaws.data_plane.runtime_process import Failure, RuntimeProcess


class FakeSandbox:
    """A process that says what the test lets it say."""

    def __init__(self):
        self.output, self.prints = os.pipe()
        self.status, self.ends = os.pipe()
        os.set_blocking(self.output, False)

    def freeze(self):
        pass

    def thaw(self):
        pass

    def kill(self):
        for descriptor in (self.output, self.prints, self.status, self.ends):
            os.close(descriptor)


class FakeLimit:
    def __init__(self):
        self.excess, self.told = "", []

    def lasts(self):
        self.told.append("lasts")

    def looked(self):
        return self.excess


@pytest.fixture
def logged():
    return []


@pytest.fixture
def sandbox():
    return FakeSandbox()


@pytest.fixture
def stream(logged):
    return LogStream(FUNCTION, "0" * 32, lambda function, name, events: logged.extend(text for _, text in events))


@pytest.fixture
def process(sandbox, stream):
    process = RuntimeProcess(sandbox, RuntimeApi(), stream, FakeLimit())
    yield process
    process.close()


def hear(process, *kinds, seconds=10.0):
    return process.hear(time.monotonic() + seconds, *kinds)


def test_a_word_is_heard(process):
    process.api.messages.append(Message("response", "id", b"1"))
    assert hear(process, "response", "error") == Message("response", "id", b"1")


def test_an_answer_to_an_invocation_that_is_over_is_passed_over(process):
    process.api.messages.append(Message("response", "old"))
    process.api.messages.append(Message("ready"))
    assert hear(process, "ready") == Message("ready")


def test_what_was_printed_before_a_word_is_read_before_it_is_heard(process, sandbox, logged):
    os.write(sandbox.prints, b"a line\nand one that does not end")
    process.api.messages.append(Message("response"))
    hear(process, "response")
    assert logged == ["a line\n", "and one that does not end\n"]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (b"0", "Runtime exited without providing a reason"),
        (b"3", "exit status 3"),
        (b"-11", "signal: segmentation fault"),
    ],
)
def test_the_end_of_the_process_is_heard(process, sandbox, status, says):
    os.write(sandbox.ends, status)
    failure = hear(process, "ready")
    assert failure.error_type == "Runtime.ExitError" and says in failure.message


def test_a_word_before_the_end_is_heard_first(process, sandbox):
    process.api.messages.append(Message("response"))
    os.write(sandbox.ends, b"1")
    assert hear(process, "response") == Message("response")
    assert hear(process, "ready").error_type == "Runtime.ExitError"


def test_nothing_in_time_is_a_timeout(process):
    assert hear(process, "ready", seconds=0.05) == Failure("Sandbox.Timedout", status="timeout")


def test_what_has_too_much_of_something_is_said_to_be_killed(process, sandbox):
    process.limit.excess = limits.PROCESSES
    os.write(sandbox.ends, b"-9")
    assert hear(process, "response") == Failure("Runtime.ExitError", "Runtime exited with error: signal: killed")


@pytest.mark.parametrize("word", ["response", "ready"])
def test_a_word_that_took_too_much_memory_is_none(process, word):
    process.limit.excess = limits.MEMORY
    process.api.messages.append(Message(word))
    assert hear(process, word) == Failure("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")


def test_its_limit_is_told_once_it_has_run_for_a_moment(process, monkeypatch):
    process.api.messages.append(Message("response"))
    hear(process, "response")
    assert process.limit.told == []

    def lasts():
        FakeLimit.lasts(process.limit)
        process.api.messages.append(Message("ready"))

    monkeypatch.setattr(process.limit, "lasts", lasts)
    assert hear(process, "ready") == Message("ready")
    assert process.limit.told == ["lasts"]


def test_that_it_has_begun_is_in_its_log_once_it_has_run_for_a_moment(process, stream, logged, monkeypatch):
    stream.hold("START\n")
    monkeypatch.setattr(process.limit, "lasts", lambda: process.api.messages.append(Message("response")))
    assert hear(process, "response") == Message("response")
    assert logged == ["START\n"]


def test_what_it_said_before_it_was_held_up_counts_for_nothing_once_it_is_killed(process, sandbox):
    process.api.messages.append(Message("ready"))
    os.write(sandbox.ends, b"-9")
    failure = process.hold_up(60, time.monotonic() + 60)
    assert (failure.error_type, failure.message) == ("Runtime.ExitError", "Runtime exited with error: signal: killed")


def test_what_it_said_before_it_was_held_up_counts_for_nothing_once_its_time_is_over(process):
    process.api.messages.append(Message("ready"))
    assert process.hold_up(60, time.monotonic() + 0.05).status == "timeout"


def test_one_that_is_held_up_goes_on_where_it_was(process):
    process.api.messages.append(Message("ready"))
    assert process.hold_up(0.05, time.monotonic() + 60) is None
    assert hear(process, "ready") == Message("ready")
