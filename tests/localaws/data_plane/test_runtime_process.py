"""What an execution environment hears of its process: words, output, too much memory, an end, or nothing in time."""

import os
import time

import pytest
from localaws_client import FUNCTION

from helpers.localaws.data_plane import runtime_process
from helpers.localaws.data_plane.log_stream import LogStream
from helpers.localaws.data_plane.runtime_api import Message, RuntimeApi
from helpers.localaws.data_plane.runtime_process import Failure, RuntimeProcess

LIMIT_MB = 128


class FakeSandbox:
    """A process that says what the test lets it say; `looks` counts how often its memory was looked at."""

    def __init__(self):
        self.output, self.prints = os.pipe()
        self.status, self.ends = os.pipe()
        os.set_blocking(self.output, False)
        self.memory_mb, self.computed_s, self.looks, self.running = 10.0, 0.0, 0, 1

    def tasks(self):
        return self.running

    def max_memory_mb(self):
        self.looks += 1
        return self.memory_mb

    def cpu_seconds(self):
        return self.computed_s

    def kill(self):
        for descriptor in (self.output, self.prints, self.status, self.ends):
            os.close(descriptor)


@pytest.fixture
def logged():
    return []


@pytest.fixture
def sandbox():
    return FakeSandbox()


@pytest.fixture
def process(sandbox, logged):
    stream = LogStream(FUNCTION, "0" * 32, lambda function, name, events: logged.extend(text for _, text in events))
    process = RuntimeProcess(sandbox, RuntimeApi(), stream, LIMIT_MB)
    yield process
    process.close()


def hear(process, *kinds, seconds=10.0):
    return process.hear(time.monotonic() + seconds, *kinds)


def answered(process):
    process.api.messages.append(Message("response"))
    return hear(process, "response")


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


def test_too_much_memory_ends_the_waiting(process, sandbox):
    sandbox.memory_mb, sandbox.computed_s = LIMIT_MB + 1, 0.1
    assert hear(process, "response").error_type == "Runtime.OutOfMemory"


def test_an_answer_that_took_too_much_memory_is_none(process, sandbox):
    sandbox.memory_mb = LIMIT_MB + 1
    process.api.messages.append(Message("response"))
    assert hear(process, "response").error_type == "Runtime.OutOfMemory"
    assert process.max_memory_mb == LIMIT_MB + 1


def test_the_most_memory_counts(process, sandbox):
    for sandbox.memory_mb in (20, 50, 30):
        answered(process)
    assert process.max_memory_mb == 50


def test_more_processes_than_on_aws_are_an_end(process, sandbox):
    sandbox.running = runtime_process.TASKS
    process.api.messages.append(Message("ready"))
    assert hear(process, "ready") == Message("ready")
    sandbox.running += 1
    sandbox.computed_s += 0.1
    assert hear(process, "response").message == "Runtime exited with error: signal: killed"


def test_while_many_processes_start_their_memory_is_not_looked_at(process, sandbox):
    for sandbox.running in (10, 100, 100):
        answered(process)
    assert sandbox.looks == 2


def test_what_computes_nothing_after_its_answer_is_not_looked_at_again(process, sandbox):
    for computed, looks in ((0.0, 1), (0.5, 2)):
        process.api.messages.append(Message("response"))
        process.api.messages.append(Message("ready"))
        sandbox.looks = 0
        hear(process, "response")
        sandbox.computed_s += computed
        hear(process, "ready")
        assert sandbox.looks == looks


def test_memory_is_not_looked_at_while_nothing_is_computed(process, sandbox, monkeypatch):
    monkeypatch.setattr(runtime_process, "POLL_S", 0.001)
    hear(process, "ready", seconds=0.05)
    assert sandbox.looks == 0
    sandbox.computed_s += 0.001
    hear(process, "ready", seconds=0.05)
    assert sandbox.looks == 1
