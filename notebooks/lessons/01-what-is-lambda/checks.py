"""The checks of notebook 01: a function that greets, and a function that finds a REPORT line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from helpers.connect import Workshop
from helpers.events import load_event
from helpers.exercises import deployed
from helpers.exercises.exercise import (
    DeployedFunction,
    Notes,
    NotSolved,
    WrongAnswer,
    call,
)
from helpers.exercises.probe import Probe, unique
from helpers.measuring.reports import reports

GREETINGS = {"en": "Hello", "fr": "Bonjour", "ja": "Konnichiwa"}


def judge_greeter(workshop: Workshop) -> Notes:
    step = "write the handler and run the cell that deploys it"
    probe = Probe(workshop, deployed.find(workshop, workshop.name("greeter"), step))
    _greets(probe, {"language": "fr"}, "fr", "for an event in French")
    _greets(probe, {"language": "ja"}, "ja", "for an event in Japanese")
    _greets(probe, {}, "en", "for an event without a language")
    _greets(probe, {"language": "en"}, "en", "for an event in English")
    return []


def _greets(probe: Probe, event: dict[str, str], language: str, when: str) -> None:
    name = f"Ada {unique()}"
    payload = probe.succeed({"name": name} | event, when).payload
    wanted = {"message": f"{GREETINGS[language]}, {name}!"}
    if payload != wanted:
        raise NotSolved(
            f"The answer {when} was {_json(payload)}; it must be {_json(wanted)}."
        )


def judge_report_of(workshop: Workshop, report_of: Callable[[str, str], str]) -> Notes:
    name, client = workshop.name("hello"), workshop.client("lambda")
    logs = workshop.client("logs")
    deployed.find(workshop, name, "run the notebook from the top")
    began = datetime.now(UTC)
    payload = json.dumps(load_event("hello"))
    wanted, _ = [
        client.invoke(FunctionName=name, Payload=payload)["ResponseMetadata"][
            "RequestId"
        ]
        for _ in range(2)
    ]
    reports(
        logs, name, at_least=2, since=began
    )  # so that both lines are there: logs lag
    line = call(report_of, name, wanted)
    if not isinstance(line, str):
        kind = type(line).__name__
        raise NotSolved(
            f"report_of returned a {kind}; return one line, the message of the log event."
        )
    if not line.startswith("REPORT"):
        raise NotSolved(
            f"The line begins with {line[:12]!r}; of the lines of this invocation, return the one with REPORT."
        )
    if wanted not in line:
        raise NotSolved(
            "This is the REPORT of another invocation; return the one with the request id that is given."
        )
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{name}", filterPattern=f'"{wanted}"'
    )
    messages = [event["message"] for page in pages for event in page["events"]]
    if line.strip() not in [message.strip() for message in messages]:
        raise NotSolved(
            "No log event has this text alone; return the message of one log event, as it is."
        )
    return []


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:200]


# In the notebook's answer.
LANGUAGE = 'event.get("language", "en")'
RETURNED = """{"message": f"{greeting}, {event['name']}!"}"""

GREETER = DeployedFunction(
    number="01.1",
    title="a function that greets in three languages",
    judge=judge_greeter,
    hints=(
        "The event is a dict. How do you ask a dict for a key that may be missing?",
        'event.get("language", "en") is the language, or English; greetings[...] is its greeting.',
        """return {"message": f"{greeting}, {event['name']}!"}, once you have the greeting.""",
    ),
    wrong_answers=(  # each a change of the notebook's answer
        WrongAnswer(
            "no default",
            (LANGUAGE, 'event["language"]'),
            "without a language: KeyError: 'language'",
        ),
        WrongAnswer(
            "the language of the last event",
            (
                LANGUAGE,
                '(seen := globals().setdefault("seen", {})).update(event) or '
                'seen.get("language", "en")',
            ),
            r"without a language was .*Konnichiwa.*; it must be .*\"Hello",
        ),
        WrongAnswer(
            "no language",
            (LANGUAGE, '"en"'),
            r'in French was .*Hello.*; it must be .*"Bonjour, Ada',
        ),
        WrongAnswer(
            "always Ada", ("event['name']", "'Ada'"), r'in French was .*"Bonjour, Ada!"'
        ),
        WrongAnswer("a text", (RETURNED, "greeting"), 'in French was "Bonjour"'),
        WrongAnswer(
            "another name", ("def greet", "def hello"), r"finds no handler app\.greet"
        ),
        WrongAnswer(
            "syntax",
            ("greet(event, context):", "greet(event, context)"),
            "cannot read your file",
        ),
    ),
)
REPORT_OF = DeployedFunction(
    number="01.2",
    title="find your invocation in the log",
    asks_for="report_of",
    judge=judge_report_of,
    hints=(
        "Which cell above asked CloudWatch for all lines of a function? What does the line that you want begin with?",
        'logs.filter_log_events(logGroupName=log_group)["events"] is a list; each has its text in "message".',
        'Of the messages that hold the request id, one begins with REPORT: text.startswith("REPORT").',
    ),
    wrong_answers=(  # each of the lines of the log and the request id
        WrongAnswer(
            "the last",
            lambda lines, id: [line for line in lines if "REPORT" in line][-1],
            "REPORT of another invocation",
        ),
        WrongAnswer(
            "the first",
            lambda lines, id: next(line for line in lines if id in line),
            "The line begins with 'START",
        ),
        WrongAnswer(
            "all",
            lambda lines, id: [line for line in lines if id in line],
            "returned a list; return one line",
        ),
        WrongAnswer(
            "made up",
            lambda lines, id: f"REPORT RequestId: {id}",
            "No log event has this text alone; return the message of one",
        ),
        WrongAnswer(
            "all in one text",
            lambda lines, id: "".join(
                sorted(
                    (line for line in lines if id in line),
                    key=lambda line: line[0] != "R",
                )
            ),
            "No log event has this text alone",
        ),
        WrongAnswer(
            "raises",
            lambda lines, id: dict[str, str]()["REPORT"],
            "raised KeyError: 'REPORT'; call it yourself",
        ),
    ),
)
EXERCISES = (GREETER, REPORT_OF)
