"""The checks of notebook 03: a bill, work that is handed on, and a function whose measured cost is below a limit."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from helpers.connect import Workshop
from helpers.exercises import deployed
from helpers.exercises.bill import billed_ms, note_bill, require_same_code, usd
from helpers.exercises.exercise import (
    Answer,
    DeployedFunction,
    Notes,
    NotSolved,
    WrongAnswer,
    call,
    require_answer,
    require_number,
)
from helpers.exercises.mistakes import Mistake, as_wrong_answers, reason
from helpers.exercises.probe import Probe
from helpers.measuring.prices import load_prices
from helpers.measuring.reports import reports

Frames = Callable[[pd.DataFrame], float]

PRICES = load_prices()["lambda"]
REQUEST, GB_SECOND = float(PRICES["request"]), float(PRICES["gb_second"]["x86_64"])
# What the notebook does not show: sizes that differ, a cold row, an exact multiple of 100 ms, a failure.
EXAMPLE = {
    "duration_ms": [1.20, 200.00, 160.00, 40.10, 3000.00],
    "init_ms": [150.00, np.nan, np.nan, np.nan, np.nan],
    "billed_ms": [152, 200, 160, 41, 3000],
    "memory_mb": [512, 1024, 128, 1769, 256],
    "max_memory_mb": [40, 41, 39, 300, 256],
    "status": ["success", "success", "success", "success", "timeout"],
}


# 03.1


def judge_bill(bill: Frames) -> Notes:
    _compare("bill", bill, right_bill, WRONG_BILLS, digits=9)
    note_bill(bill)
    return []


def right_bill(frame: pd.DataFrame) -> float:
    return _with_requests(frame, _gb_seconds(frame))


def _gb_seconds(
    frame: pd.DataFrame, memory: str = "memory_mb", time: str = "billed_ms"
) -> float:
    return float((frame[memory] / 1024 * frame[time] / 1000).sum())


def _with_requests(
    frame: pd.DataFrame, gb_seconds: float, gb_second: float = GB_SECOND
) -> float:
    return len(frame) * REQUEST + gb_seconds * gb_second


WRONG_BILLS = (
    Mistake(
        "no requests",
        lambda f: _gb_seconds(f) * GB_SECOND,
        "the requests are missing; each row is one.",
    ),
    Mistake(
        "requests alone", lambda f: len(f) * REQUEST, "the GB-seconds are missing."
    ),
    Mistake(
        "per million",
        lambda f: len(f) * REQUEST * 1e6 + _gb_seconds(f) * GB_SECOND,
        'a request costs 0.20 USD per *million*; prices["request"] is the price of one.',
    ),
    Mistake(
        "amounts",
        _gb_seconds,
        "these are GB-seconds; multiply them by their price, and add the requests.",
    ),
    Mistake(
        "free",
        lambda f: 0.0,
        "it is inside the free tier, which this exercise leaves out.",
    ),
    Mistake(
        "free tier",
        lambda f: (
            (len(f) - PRICES["free_requests"]) * REQUEST
            + (_gb_seconds(f) - PRICES["free_gb_seconds"]) * GB_SECOND
        ),
        "the free tier was subtracted, which this exercise leaves out.",
    ),
    Mistake(
        "MB as GB",
        lambda f: _with_requests(f, (f["memory_mb"] * f["billed_ms"] / 1000).sum()),
        "memory_mb was taken as GB; a GB has 1,024 MB.",
    ),
    Mistake(
        "ms as s",
        lambda f: _with_requests(f, (f["memory_mb"] / 1024 * f["billed_ms"]).sum()),
        "billed_ms was taken as seconds; a second has 1,000 ms.",
    ),
    Mistake(
        "MB and ms",
        lambda f: _with_requests(f, (f["memory_mb"] * f["billed_ms"]).sum()),
        "memory_mb was taken as GB, and billed_ms as seconds; divide by 1,024 and by 1,000.",
    ),
    Mistake(
        "1000 MB",
        lambda f: _with_requests(
            f, (f["memory_mb"] / 1000 * f["billed_ms"] / 1000).sum()
        ),
        "a GB of memory was taken as 1,000 MB; Lambda counts 1,024.",
    ),
    Mistake(
        "1024 ms",
        lambda f: _with_requests(
            f, (f["memory_mb"] / 1024 * f["billed_ms"] / 1024).sum()
        ),
        "a second was taken as 1,024 ms; only memory counts in 1,024.",
    ),
    Mistake(
        "memory used",
        lambda f: _with_requests(f, _gb_seconds(f, memory="max_memory_mb")),
        "the configured memory is billed, memory_mb, and not what was used.",
    ),
    Mistake(
        "Duration",
        lambda f: _with_requests(f, _gb_seconds(f, time="duration_ms")),
        "duration_ms is without init and rounding; take billed_ms.",
    ),
    Mistake(
        "sums",
        lambda f: _with_requests(
            f, f["memory_mb"].sum() / 1024 * f["billed_ms"].sum() / 1000
        ),
        "all memory times all time is too much; multiply in each row first, and then add up.",
    ),
    Mistake(
        "mean",
        lambda f: _with_requests(
            f, f["memory_mb"].mean() / 1024 * f["billed_ms"].sum() / 1000
        ),
        "the mean of the memory sizes does not say how long each of them ran; multiply in each row first.",
    ),
    Mistake(
        "arm64",
        lambda f: _with_requests(f, _gb_seconds(f), PRICES["gb_second"]["arm64"]),
        "that is the price of arm64; take x86_64.",
    ),
    Mistake(
        "successes",
        lambda f: right_bill(f[f["status"] == "success"]),
        "a call that was stopped is billed, too.",
    ),
    Mistake("cents", lambda f: 100 * right_bill(f), "that is in cents; return USD."),
)


# 03.2

WAIT_S = (
    1.5  # what back is told to need: long enough to tell waiting from anything else
)
CALLS = 3
ARRIVES_S = 30  # what is handed on


def judge_hand_on(workshop: Workshop) -> Notes:
    step = "run the cells that deploy it"
    front, back = (
        deployed.find(workshop, workshop.name(name), step)
        for name in ("bill-hands-on", "bill-back")
    )
    probe, began = Probe(workshop, front), datetime.now(UTC)
    payloads = [
        probe.succeed({"wait_s": WAIT_S}, "when it was invoked").payload
        for _ in range(CALLS)
    ]
    logs = workshop.client("logs")
    billed = reports(logs, front.name, at_least=CALLS, since=began)["billed_ms"].min()
    if billed >= 1000 * WAIT_S:
        raise NotSolved(
            f"{front.name} was billed {billed:,} ms while {back.name} worked, so it waits for the answer; "
            'give client.invoke InvocationType="Event".'
        )
    try:
        worked = reports(
            logs, back.name, at_least=CALLS, since=began, timeout=ARRIVES_S
        )
    except TimeoutError:
        raise NotSolved(
            f"{front.name} was invoked {CALLS} times, and {back.name} did not run as often; hand each event on "
            'with client.invoke and InvocationType="Event".'
        ) from None
    if (began_calls := _starts(logs, back.log_group, began)) > CALLS:
        raise NotSolved(
            f"{front.name} was invoked {CALLS} times, and {back.name} {began_calls} times, each of which is paid; hand "
            "each event on once."
        )
    if (least := worked["duration_ms"].min()) < 1000 * WAIT_S:
        raise NotSolved(
            f"{back.name} ran for {least:.0f} ms, and the event told it to need {1000 * WAIT_S:g}, so it got another "
            "event; hand on what hand_on got, Payload=json.dumps(event)."
        )
    if wrong := [payload for payload in payloads if payload != {"handed_on": True}]:
        raise NotSolved(
            f'hand_on returned {json.dumps(wrong[0])[:100]}; return {{"handed_on": True}}.'
        )
    return []


def _starts(logs: Any, group: str, since: datetime) -> int:
    """How many invocations have begun: who hands an event on twice does so at once, and the work takes longer."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        filterPattern='"START RequestId"',
        startTime=int(since.timestamp() * 1000),
    )
    return sum(len(page["events"]) for page in pages)


INVOKE = 'client.invoke(FunctionName=back, InvocationType="Event", Payload=payload)'
WRONG_HAND_ONS = (  # each a change of the notebook's answer
    WrongAnswer(
        "waits",
        ('InvocationType="Event", ', ""),
        r"billed [\d,]+ ms while .*-bill-back worked, so it waits",
    ),
    WrongAnswer(
        "asks and waits", ('"Event"', '"RequestResponse"'), "so it waits for the answer"
    ),
    WrongAnswer(
        "a dry run",
        ('"Event"', '"DryRun"'),
        "bill-back did not run as often; hand each event on",
    ),
    WrongAnswer("hands nothing on", (INVOKE, "pass"), "bill-back did not run as often"),
    WrongAnswer(
        "hands on twice",
        (INVOKE, f"{INVOKE}; {INVOKE}"),
        "bill-back 6 times, each of which is paid; hand each event on once",
    ),
    WrongAnswer(
        "another event",
        ("json.dumps(event)", "json.dumps({})"),
        r"ran for \d+ ms, .* it got another event",
    ),
    WrongAnswer(
        "nothing returned",
        ('return {"handed_on": True}', "return"),
        "hand_on returned null; return",
    ),
    WrongAnswer(
        "an object as payload", ("json.dumps(event)", "event"), "ParamValidationError"
    ),
)


def _compare(
    name: str,
    function: Frames,
    right_function: Frames,
    mistakes: tuple[Mistake, ...],
    digits: int,
) -> None:
    """NotSolved, with the reason where one of the mistakes explains it, unless the reader's number is right."""
    frame = pd.DataFrame(EXAMPLE)
    number, right = _number(name, call(function, frame.copy())), right_function(frame)
    if math.isclose(number, right, rel_tol=1e-6):
        return
    said = f"{name} returned {number:.{digits}g} where {right:.{digits}g} is right"
    why = reason(
        mistakes,
        lambda formula: math.isclose(
            number, formula(frame), rel_tol=1e-6, abs_tol=1e-15
        ),
    )
    if why:
        raise NotSolved(f"{said}: {why}")
    if number in [round(right, places) for places in range(12)]:
        raise NotSolved(f"{said}: that is rounded; return it as it is.")
    rows = frame[["memory_mb", "duration_ms", "billed_ms"]].to_dict("list")
    raise NotSolved(f"{said}, for {len(frame)} rows with {rows}.")


# 03.3

LIMIT_USD = 1.50  # of a million calls
DATA_MB, WAITS_MS = 150, 200
WAITS = "time.sleep(0.2)"


def judge_tuned(workshop: Workshop) -> Notes:
    step = "run the cell that deploys it"
    function = deployed.find(workshop, workshop.name("bill-report"), step)
    require_same_code(function, WAITS)
    memory_mb = function.configuration["MemorySize"]
    probe = Probe(workshop, function)
    outcome = probe.invoke({})
    if outcome.failed and not outcome.timed_out:
        raise NotSolved(
            f"With {memory_mb} MB the function fails ({outcome.error_type}: {outcome.error_message[-60:]}): its table "
            f"alone has {DATA_MB} MB, and Python needs some, too; give it the next size that holds both."
        )
    cost = usd(function, 1e6, billed_ms(probe, {}, f"with {memory_mb} MB"))
    if cost > LIMIT_USD:
        raise NotSolved(
            f"With {memory_mb:,} MB a million calls cost {cost:.2f} USD, and {LIMIT_USD:.2f} is the limit; it "
            "waits, so memory does not make it faster: look at Max Memory Used, and give it less."
        )
    return []


WRONG_SIZES = (  # each what is configured
    WrongAnswer(
        "as it was",
        {"MemorySize": 1769},
        r"With 1,769 MB a million calls cost [56]\.\d+ USD, and 1\.50 is",
    ),
    WrongAnswer(
        "the least",
        {"MemorySize": 128},
        "With 128 MB the function fails .*its table alone has 150 MB",
    ),
    WrongAnswer(
        "twice too much",
        {"MemorySize": 512},
        r"With 512 MB a million calls cost [12]\.\d+ USD",
    ),
    WrongAnswer(
        "arm64 alone",
        {"MemorySize": 512, "Architectures": ["arm64"]},
        r"cost [12]\.\d+ USD, and 1\.50 is",
    ),
)


def _number(name: str, found: Any) -> float:
    require_answer(name, found)
    return require_number(name, found)


BILL = Answer(
    number="03.1",
    title="the bill",
    asks_for="bill",
    judge=judge_bill,
    hints=(
        "Two things are billed; each row of the table is one request.",
        "GB-seconds of a row: memory_mb / 1024 * billed_ms / 1000. Work with whole columns, and .sum() at the end.",
        'Add len(frame) * prices["request"] and the GB-seconds * prices["gb_second"]["x86_64"].',
    ),
    wrong_answers=(
        *as_wrong_answers(WRONG_BILLS),
        WrongAnswer(
            "rounded",
            lambda f: round(right_bill(f), 8),
            "that is rounded; return it as it is",
        ),
        WrongAnswer(
            "hard-coded",
            lambda f: 0.0000225,
            r"is right, for 5 rows with \{'memory_mb'",
        ),
        WrongAnswer(
            "a column",
            lambda f: f["memory_mb"] / 1024 * f["billed_ms"],
            "returned a Series; return one number",
        ),
        WrongAnswer("nan", lambda f: math.nan, "returned nan where"),
        WrongAnswer(
            "raises",
            lambda f: f["memory"],
            "raised KeyError: 'memory'; call it yourself",
        ),
    ),
)
HAND_ON = DeployedFunction(
    number="03.2",
    title="hand the work on",
    judge=judge_hand_on,
    hints=(
        "For how long is front billed, and what does it do meanwhile? Which kind of invocation is answered at once?",
        'client.invoke takes InvocationType="Event": Lambda keeps the event, answers 202, and runs the function then.',
        "The event goes on as text: Payload=json.dumps(event).",
    ),
    wrong_answers=WRONG_HAND_ONS,
)
TUNED = DeployedFunction(
    number="03.3",
    title="tune a function",
    judge=judge_tuned,
    hints=(
        "Does this function compute or wait? So what does more memory do to its duration, and to its price?",
        "Its table has 150 MB, and Python needs some 35 MB. A million calls cost "
        "1e6 * (memory / 1024 * 0.2 * price of a GB-second + price of a request).",
    ),
    wrong_answers=WRONG_SIZES,
)
EXERCISES = (BILL, HAND_ON, TUNED)
