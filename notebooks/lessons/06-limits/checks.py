"""The checks of notebook 06: a function that stops in time, one that answers through S3, and retries in a log."""

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from helpers.connect import Workshop
from helpers.deploying.deploy import deploy
from helpers.exercises import deployed
from helpers.exercises.copies import copy
from helpers.exercises.diagnosis import Outcome, refused_call
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    Notes,
    NotSolved,
    WrongAnswer,
    call,
)
from helpers.exercises.mistakes import Mistake, as_wrong_answers, reason
from helpers.exercises.probe import Probe, unique
from helpers.facts import fact
from helpers.resources.types import code, says_absent

from .wrong_answers import WRONG_TABLES, WRONG_WORKERS

# 06.1

TIMEOUT_S = 3
SHORT_S = 1  # of a copy: time for one item of 0.3 s at most, with half a second for the answer
ANSWER_S = 0.5  # to be kept for the answer
WORKED_ON = re.compile(r"^worked on (.+)$", re.MULTILINE)


def judge_worker(workshop: Workshop) -> Notes:
    step = "write the handler and run the cell that deploys it"
    function = deployed.find(workshop, workshop.name("worker"), step)
    if function.timeout_s != TIMEOUT_S:
        raise NotSolved(
            f"{function.name} has a Timeout of {function.timeout_s} s; deploy it with Timeout={TIMEOUT_S}, "
            "as the cell does: the time must be short."
        )
    probe = Probe(workshop, function)
    _works(probe, 0, 0.1, at_least=0)
    _works(probe, 3, 0.05, at_least=3)
    _works(probe, 20, 0.3, at_least=4)  # there is time for eight
    _works(
        probe, 4, 0.55 * TIMEOUT_S, at_least=1
    )  # one fits, and a second one does not
    _works(probe, 2, TIMEOUT_S + 2.0, at_least=0)  # none fits
    # With half a second more none fits: an item needs 3.1 s, and never are more than 3 s
    # left. So a right answer does none, at once, however slow the machine is. Without the
    # half second one is begun, unless the handler looks for the first time after 0.4 s.
    _works(probe, 2, TIMEOUT_S - 0.4, at_least=0)
    _asks_lambda(probe)
    return []


def _asks_lambda(probe: Probe) -> None:
    """NotSolved for a clock of the learner's own, which does not know of another Timeout, that of a copy."""
    with copy(probe, "short", {}) as short:
        function = probe.function
        own = {
            "Handler": function.configuration["Handler"],
            "Environment": {"Variables": function.variables},
        }
        wanted = function.of_a_copy | own | {"Timeout": SHORT_S}
        deploy(probe.workshop, short.function.name, function.files, **wanted)
        items = [unique() for _ in range(20)]
        if short.invoke({"items": items, "seconds_each": 0.3}).timed_out:
            raise NotSolved(
                f"A copy of the function with a Timeout of {SHORT_S} s was stopped at its time limit, so the time does "
                "not come from Lambda; ask context.get_remaining_time_in_millis(), which knows the Timeout."
            )


def _works(probe: Probe, number: int, seconds: float, at_least: int) -> None:
    items = [f"{unique()}-{place}" for place in range(number)]
    when = f"for {number} items of {seconds:g} s" if items else "for an empty list"
    outcome = probe.succeed(
        {"items": items, "seconds_each": seconds},
        when,
        lambda found, function: _late(found, seconds, when),
    )
    sentence = _wrong_answer(outcome.payload, when) or _wrong_items(
        outcome, items, when
    )
    if sentence:
        raise NotSolved(sentence)
    if outcome.payload["done"] and seconds + ANSWER_S > TIMEOUT_S:
        raise NotSolved(_too_near(seconds))
    if len(outcome.payload["done"]) < at_least:
        raise NotSolved(
            f"The handler did {len(outcome.payload['done'])} of {number} items of {seconds:g} s, and there was time "
            f"for {at_least} at least; go on while get_remaining_time_in_millis() is more than one item needs."
        )


def _late(outcome: Outcome, seconds: float, when: str) -> str | None:
    """The sentence for a function that Lambda had to stop."""
    if not outcome.timed_out:
        return None
    stopped = f"Lambda stopped the function at its time limit {when}; "
    worked = len(WORKED_ON.findall(outcome.log))
    if seconds > TIMEOUT_S:
        return (
            stopped
            + "not one of them can be finished: ask for the remaining time before the first item too."
        )
    if seconds + ANSWER_S > TIMEOUT_S:  # begun on a slow machine
        return _too_near(seconds)
    if worked == 1:  # of the long ones
        return stopped + (
            "it had begun an item for which there was no time: compare the remaining time with what the item "
            "needs, 1000 * event['seconds_each'] ms, and half a second more."
        )
    return stopped + (
        "before each item, compare context.get_remaining_time_in_millis() with the milliseconds that it needs, "
        "and stop when they are too few."
    )


def _too_near(seconds: float) -> str:
    """The sentence for an item that fits, but not with the time for the answer."""
    return (
        f"The handler began an item of {seconds:g} s with less than {seconds + ANSWER_S:g} s left; "
        "keep half a second for the answer."
    )


def _wrong_answer(answer: Any, when: str) -> str | None:
    if isinstance(answer, dict) and all(
        isinstance(answer.get(key), list) for key in ("done", "left")
    ):
        return None
    return f'The answer {when} was {_json(answer)}; return {{"done": [...], "left": [...]}}, both of them lists.'


def _wrong_items(outcome: Outcome, items: list[str], when: str) -> str | None:
    """The sentence for items that are lost, there twice, or not what the log says."""
    done, left = outcome.payload["done"], outcome.payload["left"]
    if twice := [item for item in items if (done + left).count(item) > 1]:
        return (
            f"{len(twice)} of the items are in the answer twice {when}, and would be done again; "
            "move an item from left to done, do not copy it."
        )
    if lost := [item for item in items if item not in done + left]:
        return (
            f"{len(lost)} of the items {when} are neither in done nor in left, and so lost; "
            "take an item out of left only when it goes into done."
        )
    worked = WORKED_ON.findall(outcome.log)
    if any(item not in worked for item in done):
        return f"The answer {when} says done of an item for which work was not called; call work(item, seconds) for each."
    if any(item in left for item in worked):
        return f"work was called {when} for an item that is still in left, so that it would be done twice; take it out."
    if len(worked) > len(set(worked)):
        return f"work was called {when} more than once for the same item; call it once for each."
    if done + left != items:
        return f"The items come back in another order {when}; begin with the first, and leave the others as they are."
    return None


# 06.2

LARGE, SMALL = 400_000, 7  # rows; the large table has more than an answer may have


def judge_table(workshop: Workshop) -> Notes:
    step = "write the handler and run the cell that deploys it"
    probe = Probe(workshop, deployed.find(workshop, workshop.name("table-maker"), step))
    for rows in (SMALL, LARGE):
        _makes(probe, workshop.client("s3"), workshop.bucket("limits"), rows)
    return []


def _makes(probe: Probe, s3: Any, bucket: str, rows: int) -> None:
    address = {"bucket": bucket, "key": f"check/{unique()}.csv"}
    when = f"for {rows:,} rows"
    try:
        answer = probe.succeed(
            {"rows": rows} | address,
            when,
            lambda found, function: _no_table(found, address, when),
        ).payload
        content = _content(s3, address)
    finally:
        _remove(s3, address)
    if sentence := _wrong_address(answer, address, when) or _wrong_table(
        content, rows, address, when
    ):
        raise NotSolved(sentence)


def _no_table(outcome: Outcome, address: dict[str, str], when: str) -> str | None:
    shown = f"{outcome.error_type}: {outcome.error_message}"
    if outcome.error_type == "Function.ResponseSizeTooLarge":
        return (
            f"The answer {when} was larger than {fact('payload')} MB (Function.ResponseSizeTooLarge), so it is still "
            "the table; put the text into S3, and return bucket and key alone."
        )
    if "NoSuchBucket" in shown:
        return f"The bucket that the handler puts the table into does not exist {when}; take event['bucket']."
    if refused := refused_call(shown):
        return _not_allowed(*refused, address, when)
    if (
        "NoneType" in shown
        and "encode" in shown
        or "Invalid type for parameter Body" in shown
    ):
        return f"put_object refused its Body {when}: it takes bytes, so give it text.encode()."
    return None


def _not_allowed(
    action: str, resource: str | None, address: dict[str, str], when: str
) -> str:
    """The sentence for a call that the function's role does not allow."""
    bucket = f":::{address['bucket']}"
    if resource and not resource.endswith(bucket) and f"{bucket}/" not in resource:
        return (
            f"The handler calls {action} on {resource} {when}, which its role does not allow: only the bucket of the "
            "event is allowed; take event['bucket'] and event['key']."
        )
    if action == "s3:PutObject":
        return (
            f"The role does not allow {action} on the objects of the bucket {address['bucket']} {when}; deploy with "
            "Role=workshop.role(write), as the cell does."
        )
    return (
        f"The handler calls {action} {when}, which its role does not allow; put_object is enough here, and the "
        "statement write allows it."
    )


def _wrong_address(answer: Any, wanted: dict[str, str], when: str) -> str | None:
    if isinstance(answer, str) and wanted["key"] not in answer:
        return f"The answer {when} is the table itself; put it into S3, however small it is, and return its address."
    if (
        isinstance(answer, dict)
        and {key: answer.get(key) for key in wanted} != wanted
        and wanted["key"] in map(str, answer.values())
    ):
        return f'The answer {when} was {_json(answer)}; call its members "bucket" and "key", as in {_json(wanted)}.'
    if answer != wanted:
        return f"The answer {when} was {_json(answer)}; it must be {_json(wanted)}, the address from the event."
    return None


def _wrong_table(
    content: bytes | None, rows: int, address: dict[str, str], when: str
) -> str | None:
    if content is None:
        return (
            f"The answer names an object that is not in the bucket {when}; put it at event['key'] in "
            "event['bucket'], and not somewhere else."
        )
    wanted = "".join(f"{n},{n * n}\n" for n in range(rows)).encode()
    if content == wanted:
        return None
    if content == json.dumps(wanted.decode()).encode():
        return f"The object {when} holds the text as JSON, in quotes; put the text itself, text.encode()."
    if wanted.startswith(content):
        return (
            f"The object {when} has {len(content):,} of {len(wanted):,} bytes; put the whole text into it, "
            "that is what S3 is for."
        )
    return f"The object {when} does not hold the table; put the text into it as it is, text.encode()."


def _content(s3: Any, address: dict[str, str]) -> bytes | None:
    try:
        content: bytes = s3.get_object(Bucket=address["bucket"], Key=address["key"])[
            "Body"
        ].read()
    except s3.exceptions.ClientError as error:
        if says_absent(error) or code(error) == "NoSuchKey":
            return None
        raise
    return content


def _remove(s3: Any, address: dict[str, str]) -> None:
    try:
        s3.delete_object(Bucket=address["bucket"], Key=address["key"])
    except s3.exceptions.NoSuchBucket:
        raise NotSolved(
            f"There is no bucket {address['bucket']} yet; run the notebook from the top."
        ) from None


# 06.3

LogEvent = dict[
    str, Any
]  # e.g. {"message": "START RequestId: …", "timestamp": 1795514400000}
TIMED, ONCE, OTHER = (f"{digit * 8}-0606-4606-8606-{digit * 12}" for digit in "abc")
FIRST_MS = 1_795_514_400_000
RUNS_MS = {
    TIMED: (0, 61_250, 183_500),
    ONCE: (30_000,),
    OTHER: (2_000, 64_000),
}  # after FIRST_MS


def example_log() -> list[LogEvent]:
    """Lines of three requests as CloudWatch may give them: one stream after the other, the later one first."""
    runs = [
        (after, request_id)
        for request_id, starts in RUNS_MS.items()
        for after in starts
    ]
    return [
        line
        for after, request_id in sorted(runs, reverse=True)
        for line in _lines(request_id, after)
    ]


def _lines(request_id: str, after: int) -> list[LogEvent]:
    start, end = FIRST_MS + after, FIRST_MS + _end(after)
    return [
        {
            "timestamp": start,
            "message": f"START RequestId: {request_id} Version: $LATEST\n",
        },
        {"timestamp": start + 20, "message": f"START of the work on {request_id}\n"},
        {
            "timestamp": end - 10,
            "message": f"[ERROR]\tKeyError: 'name'\tRequestId: {request_id}\n",
        },
        {"timestamp": end, "message": f"END RequestId: {request_id}\n"},
        {
            "timestamp": end,
            "message": f"REPORT RequestId: {request_id}\tDuration: {end - start}.00 ms\t\n",
        },
    ]


def _end(after: int) -> int:
    return (
        after + 200 + after // 1000
    )  # each run takes a little longer than the one before


def judge_run_times(run_times: Callable[[list[LogEvent], str], list[float]]) -> Notes:
    for request_id in (TIMED, ONCE):
        found = call(run_times, example_log(), request_id)
        if sentence := _wrong_times(found, request_id):
            raise NotSolved(sentence)
    return []


def _wrong_times(found: Any, request_id: str) -> str | None:
    """What is wrong with the times that were found for this request, or None."""
    try:
        if isinstance(found, set):  # which has no order
            raise TypeError
        times = [float(each) for each in found]
    except (TypeError, ValueError):
        return f"run_times returned {found!r:.120}; return a list of seconds, one for each run, such as [0.0, 60.0]."
    runs = RUNS_MS[request_id]
    wanted = _seconds(runs)
    if _same(times, wanted):
        return None
    shown = f"run_times returned {_json(times)} where {_json(wanted)} is right: "
    if why := reason(
        WRONG_TIMES, lambda formula: _same(times, formula(example_log(), request_id))
    ):
        return shown + why
    if len(times) > len(runs):
        return (
            shown
            + "a run begins with its START line; other lines name the request too, and must not count."
        )
    return (
        shown
        + "take the timestamp of each START line of the request, and subtract that of the first run."
    )


def _seconds(times_ms: Sequence[int]) -> list[float]:
    """The time since the first of these."""
    return [(each - times_ms[0]) / 1000 for each in times_ms]


def _same(found: list[float], wanted: Sequence[float]) -> bool:
    return len(found) == len(wanted) and all(
        math.isclose(each, other, abs_tol=1e-3)
        for each, other in zip(found, wanted, strict=True)
    )


def _times_ms(
    events: list[LogEvent], request_id: str, line: str = "START"
) -> list[int]:
    """The timestamps of these lines of a request, in the order of the log."""
    begins = f"{line} RequestId: {request_id}"
    return [
        event["timestamp"] for event in events if event["message"].startswith(begins)
    ]


def _pauses(events: list[LogEvent], request_id: str) -> list[float]:
    starts = sorted(_times_ms(events, request_id))
    return [
        (after - before) / 1000
        for before, after in zip(starts, starts[1:], strict=False)
    ]


def _of_every_line(events: list[LogEvent], request_id: str) -> list[float]:
    return _seconds(
        sorted(event["timestamp"] for event in events if request_id in event["message"])
    )


WRONG_TIMES = (
    Mistake(
        "milliseconds",
        lambda events, id: [
            1000 * each for each in _seconds(sorted(_times_ms(events, id)))
        ],
        "those are milliseconds; divide by 1000.",
    ),
    Mistake(
        "timestamps",
        lambda events, id: sorted(_times_ms(events, id)),
        "those are the timestamps; subtract the first one, and divide by 1000.",
    ),
    Mistake(
        "points in time",
        lambda events, id: [each / 1000 for each in sorted(_times_ms(events, id))],
        "those are points in time; subtract that of the first run.",
    ),
    Mistake(
        "pauses",
        _pauses,
        "those are the pauses between the runs; count from the first run, which is 0.0 itself.",
    ),
    Mistake(
        "everybody",
        lambda events, id: _seconds(sorted(_times_ms(events, ""))),
        "runs of other requests are among them; look for the request id too.",
    ),
    Mistake(
        "ends",
        lambda events, id: _seconds(sorted(_times_ms(events, id, "END"))),
        "those are the times at which the runs ended; take those of the START lines.",
    ),
    Mistake(
        "unsorted",
        lambda events, id: _seconds(_times_ms(events, id)),
        "the log events come in any order; sort the times before you subtract one.",
    ),
    Mistake(
        "backwards",
        lambda events, id: _seconds(sorted(_times_ms(events, id)))[::-1],
        "the log events come in any order; sort the times.",
    ),
)


def _json(value: Any) -> str:
    return json.dumps(value, default=str)[:120]


WORKER = DeployedFunction(
    number="06.1",
    title="stop in time",
    judge=judge_worker,
    hints=(
        "What must be true before the next item begins? Ask that before each item, the first one too.",
        "context.get_remaining_time_in_millis() is in milliseconds, event['seconds_each'] in seconds; "
        "an item needs 1000 * (event['seconds_each'] + 0.5) ms, with the half second to spare.",
        "while left and context.get_remaining_time_in_millis() > needed_ms: work on left[0], and then "
        "done.append(left.pop(0)) moves it.",
    ),
    wrong_answers=WRONG_WORKERS,
)
TABLE = DeployedFunction(
    number="06.2",
    title="an answer of any size",
    judge=judge_table,
    hints=(
        "Which call of boto3 puts an object into S3? The text above used it to store lines.txt.",
        'boto3.client("s3").put_object(Bucket=..., Key=..., Body=...) within the handler; Body takes bytes.',
        'put_object(Bucket=event["bucket"], Key=event["key"], Body=text.encode()), and then '
        'return {"bucket": event["bucket"], "key": event["key"]}',
    ),
    wrong_answers=WRONG_TABLES,
)
RUN_TIMES = Answer(
    number="06.3",
    title="when was it run",
    asks_for="run_times",
    judge=judge_run_times,
    hints=(
        "Which log events count? Those whose message begins with START and names the request id.",
        'f"START RequestId: {request_id}" is how such a message begins; str.startswith finds it.',
        'times = sorted(event["timestamp"] for event in log_events if ...)',
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_TIMES),
        WrongAnswer(
            "every line",
            _of_every_line,
            "other lines name the request too, and must not count",
        ),
        WrongAnswer(
            "every line with START",
            lambda events, id: _seconds(
                sorted(
                    event["timestamp"]
                    for event in events
                    if "START" in event["message"] and id in event["message"]
                )
            ),
            "other lines name the request too, and must not count",
        ),
        WrongAnswer(
            "a set",
            lambda events, id: set(_seconds(sorted(_times_ms(events, id)))),
            "returned {.*}; return a list of seconds",
        ),
        WrongAnswer(
            "a count",
            lambda events, id: len(_times_ms(events, id)),
            "returned 3; return a list of seconds",
        ),
        WrongAnswer(
            "nothing",
            lambda events, id: None,
            "returned None; return a list of seconds",
        ),
        WrongAnswer(
            "constant",
            lambda events, id: [0.0, 60.0, 180.0],
            r"returned \[0.0, 60.0, 180.0\] where \[0.0, 61.25, 183.5\] is right: take the timestamp of each",
        ),
        WrongAnswer(
            "constant of one",
            lambda events, id: [0.0],
            r"returned \[0.0\] where \[0.0, 61.25, 183.5\] is right",
        ),
        WrongAnswer("raises", lambda events, id: events[id], "raised TypeError"),
    ),
)
EXERCISES = (WORKER, TABLE, RUN_TIMES)
