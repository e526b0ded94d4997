"""The checks of notebook 06: right answers pass, wrong ones get their sentence."""

import re
from collections.abc import Callable

import notebook_cells
import pytest
from notebook_cells import refused

from helpers import checks, deploy, progress
from helpers.checks import limits
from helpers.labs import remove
from helpers.ledger import Entry
from helpers.notebooks import source


@pytest.fixture(autouse=True)
def at_the_start(aws, embedded_home) -> None:
    """Neither progress nor functions of another test are there."""
    (embedded_home / progress.FILE).unlink(missing_ok=True)
    for name in ("worker", "table-maker"):
        remove(aws, Entry("function", aws.name(name)))


@pytest.fixture
def bucket(aws) -> str:
    """The bucket of the notebook."""
    aws.client("s3").create_bucket(Bucket=aws.name("limits"))  # again and again, in us-east-1
    return aws.name("limits")


@pytest.fixture
def put(aws) -> Callable[..., None]:
    def put(name: str, code: str, **configuration) -> None:
        deploy(aws, aws.name(name), {"app.py": code}, **configuration)

    return put


def cell(place: int) -> str:
    """The code cell of an exercise, as the author wrote it."""
    return notebook_cells.exercises("06")[place]


# 06.1

WORKER = "import time\n\n\n" + source.solved(cell(0))
LOOP = """    while left and context.get_remaining_time_in_millis() > needed_ms:
        work(left[0], event["seconds_each"])
        done.append(left.pop(0))
"""
FIRST = """    if left:
        work(left[0], event["seconds_each"])
        done.append(left.pop(0))
"""
NEEDED = '1000 * (event["seconds_each"] + 0.5)'
ANSWERS = '{"done": done, "left": left}'


def test_the_worker_of_the_notebook_passes(put):
    put("worker", WORKER, Timeout=3)
    checks.check("06.1")
    assert progress.solved() == {"06.1"}


def test_the_starter_of_a_worker_is_not_written_yet(put):
    put("worker", "import time\n\n\n" + source.unsolved(cell(0)), Timeout=3)
    assert "not written yet" in refused("06.1")


def test_an_absent_worker_is_said():
    assert "There is no function" in refused("06.1")


def test_a_worker_with_plenty_of_time_is_said(put):
    put("worker", WORKER, Timeout=60)
    assert re.search("has a Timeout of 60 s; deploy it with Timeout=3", refused("06.1"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (" and context.get_remaining_time_in_millis() > needed_ms", "", "for 20 items of 0.3 s; before each item, c"),
        (NEEDED, 'event["seconds_each"] + 0.5', "for 20 items .* with the milliseconds that it needs"),
        (NEEDED, "500", "for 4 items of 1.65 s; it had begun an item for which there was no time"),
        (LOOP, "    done, left = [], left\n", "did 0 of 3 items of 0.05 s, and there was time for 3"),
        (LOOP, FIRST, "did 1 of 3 items of 0.05 s"),
        (LOOP, LOOP.replace("needed_ms", "2500"), r"did [0-3] of 20 items of 0.3 s, and there was time for 4"),
        (LOOP, "    done, left = left, []\n", "says done of an item for which work was not called"),
        (LOOP, LOOP.replace("left.pop(0)", "left[0]"), "1 of the items stand in the answer twice for 3 items"),
        (LOOP, LOOP + "    left = left[1:]\n", "are neither in done nor in left, and so lost"),
        (LOOP, LOOP.replace("left.pop(0)", "left.pop()"), "says done of an item for which work was not called"),
        (LOOP, LOOP.replace("left[0]", "left[-1]").replace("pop(0)", "pop()"), "another order for 3 items"),
        (LOOP, "    for item in left[:1]:\n        work(item, 0)\n", "for an item that is still in left"),
        (LOOP, LOOP.replace("        done", "        work(left[0], 0)\n        done"), "more than once for the same"),
        (LOOP, FIRST + LOOP, "not one of them can be finished: ask"),
        (ANSWERS, "left", r"The answer for an empty list was \[\]; return"),
        (ANSWERS, '{"done": len(done), "left": left}', 'was {"done": 0, "left": \\[\\]}; return'),
    ],
    ids=["no look", "seconds", "fixed margin", "does nothing", "one item", "much too careful", "claims", "copies",
         "loses", "pops the wrong one", "backwards", "leaves it", "twice", "first without a look", "a list", "a count"],
)  # fmt: skip
def test_a_wrong_worker_gets_its_sentence(old, new, says, put):
    assert old in WORKER
    put("worker", WORKER.replace(old, new), Timeout=3)
    text = refused("06.1")
    assert re.search(says, text), text


# 06.2

TABLE = source.solved(cell(1))
PUT = 'boto3.client("s3").put_object(Bucket=event["bucket"], Key=event["key"], Body=text.encode())'
ANSWER = '{"bucket": event["bucket"], "key": event["key"]}'
FAST = {"MemorySize": 1769, "Timeout": 60}


def test_the_table_of_the_notebook_passes(put, bucket, aws):
    put("table-maker", TABLE, **FAST)
    checks.check("06.2")
    assert progress.solved() == {"06.2"}
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="check/")


def test_the_starter_of_a_table_is_not_written_yet(put, bucket):
    put("table-maker", source.unsolved(cell(1)), **FAST)
    assert "not written yet" in refused("06.2")


def test_an_absent_table_maker_is_said(bucket):
    assert "There is no function" in refused("06.2")


def returns(what: str) -> tuple[str, str]:
    return f"return {ANSWER}", f"return {what}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (*returns("text"), "for 7 rows is the table itself; put it into S3"),
        (*returns(f"text if event['rows'] < 10**6 and event['rows'] > 9 else {ANSWER}"), "was larger than 6 MB"),
        (*returns("event['key']"), r'was "check/\w+.csv"; it has to be {"bucket": '),
        (*returns('{"Bucket": event["bucket"], "Key": event["key"]}'), 'call its members "bucket" and "key"'),
        (*returns(f"{ANSWER} | {{'rows': 7}}"), "has to be .*the address from the event"),
        (PUT, "pass", "names an object that is not in the bucket"),
        ('Key=event["key"]', 'Key="table.csv"', "names an object that is not in the bucket"),
        ('Bucket=event["bucket"]', 'Bucket="no-such-bucket-of-mine"', "does not exist for 7 rows; take event"),
        ("text.encode()", "__import__('json').dumps(text)", "holds the text as JSON, in quotes"),
        ("text.encode()", "text[:6_000_000]", "for 400,000 rows has 6,000,000 of [0-9,]+ bytes; put the whole"),
        ("text.encode()", "text[:0]", "for 7 rows has 0 of"),
        ("text.encode()", "str(list(text))", "does not hold the table; put the text into it as it is"),
        ("text.encode()", "text.split()", "put_object refused its Body for 7 rows: it takes bytes, so give"),
    ],
    ids=["the text", "large text", "a key", "capitals", "more", "no put", "another key", "another bucket", "json",
         "cut", "empty", "a list as text", "a list"],
)  # fmt: skip
def test_a_wrong_table_gets_its_sentence(old, new, says, put, bucket, aws):
    assert old in TABLE
    put("table-maker", TABLE.replace(old, new), **FAST)
    text = refused("06.2")
    assert re.search(says, text), text
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="check/")


def test_a_bucket_that_is_missing_is_said(put, aws):
    remove(aws, Entry("bucket", aws.name("limits")))
    put("table-maker", TABLE, **FAST)
    assert re.search("There is no bucket .* run the notebook from the top", refused("06.2"))


# 06.3


def starts(events, id, what="START"):
    return [event["timestamp"] for event in events if event["message"].startswith(f"{what} RequestId: {id}")]


def shifted(times):
    return [(each - times[0]) / 1000 for each in times]


def every_line(events, id):
    return shifted(sorted(event["timestamp"] for event in events if id in event["message"]))


TIMES = {
    "milliseconds": lambda events, id: [each - min(starts(events, id)) for each in sorted(starts(events, id))],
    "timestamps": lambda events, id: sorted(starts(events, id)),
    "points": lambda events, id: [each / 1000 for each in sorted(starts(events, id))],
    "unsorted": lambda events, id: shifted(starts(events, id)),
    "backwards": lambda events, id: shifted(sorted(starts(events, id)))[::-1],
    "pauses": lambda events, id: [
        (after - before) / 1000
        for before, after in zip(sorted(starts(events, id)), sorted(starts(events, id))[1:], strict=False)
    ],
    "everybody": lambda events, id: shifted(sorted(starts(events, ""))),
    "ends": lambda events, id: shifted(sorted(starts(events, id, "END"))),
    "every line": every_line,
    "a count": lambda events, id: len(starts(events, id)),
    "nothing": lambda events, id: print(starts(events, id)),
    "constant": lambda events, id: [0.0, 60.0, 180.0],
    "constant of two": lambda events, id: [0.0],
    "raises": lambda events, id: events[id],
}


def test_the_run_times_of_the_notebook_pass(aws):
    names: dict = {}
    exec(source.solved(cell(2)), names)
    checks.check("06.3", names["run_times"])
    assert progress.solved() == {"06.3"}


def test_the_starter_of_run_times_is_not_written_yet(aws):
    names: dict = {}
    exec(source.unsolved(cell(2)), names)
    assert "not written yet" in refused("06.3", names["run_times"])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("milliseconds", "those are milliseconds; divide by 1000"),
        ("timestamps", "those are the timestamps; subtract the first one, and divide"),
        ("points", "those are points in time"),
        ("unsorted", "the log events come in any order; sort the times before you subtract"),
        ("backwards", "the log events come in any order; sort the times"),
        ("pauses", "those are the pauses between the runs"),
        ("everybody", "runs of other requests are among them"),
        ("ends", "those are the times at which the runs ended"),
        ("every line", "other lines name the request too, and must not count"),
        ("a count", "returned 3; return a list of seconds"),
        ("nothing", "returned None; return a list of seconds"),
        ("constant", r"returned \[0.0, 60.0, 180.0\] where \[0.0, 61.25, 183.5\] is right: take the timestamp of each"),
        ("constant of two", r"returned \[0.0\] where \[0.0, 61.25, 183.5\] is right"),
        ("raises", "raised TypeError"),
    ],
)
def test_wrong_run_times_get_their_sentence(answer, says, aws):
    text = refused("06.3", TIMES[answer])
    assert re.search(says, text), text


def test_run_times_are_asked_for():
    assert 'check("06.3", run_times)' in refused("06.3")


def test_the_example_of_the_check_holds_runs_of_several_requests():
    messages = [event["message"] for event in limits._example()]
    assert sum(message.startswith("START") for message in messages) == 6
    assert len(messages) == len(limits._example()) == 30
