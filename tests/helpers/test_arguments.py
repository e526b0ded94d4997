"""Whoever calls a public function wrongly gets one sentence of ours that says what it takes."""

import inspect
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pandas as pd
import pytest

import helpers
from helpers import (
    check,
    clean,
    compare_events,
    connect,
    deploy,
    draw_map,
    explore,
    hint,
    load_event,
    load_prices,
    open_inbox,
    package,
    package_layer,
    plot_durations,
    plot_timeline,
    predict,
    reports,
    reset,
    solution,
    start_at,
    track,
    watch,
)
from helpers.arguments import ArgumentError, name_of_function, takes
from helpers.classroom.learner.joining import Class
from helpers.connect import Workshop
from helpers.errors import WorkshopError
from helpers.inbox import Inbox
from helpers.measuring.reports import COLUMNS
from helpers.watch import Watch
from helpers.webhook import WebhookUrl

METHODS = [Workshop.client, Workshop.name, Workshop.role]
METHODS += [Watch.most, Class.sent, Class.leave]
METHODS += [Inbox.post, Inbox.messages, Inbox.refused, Inbox.wait, Inbox.fail_next, Inbox.slow_next]
# fact() is the embedded AWS's too, which knows nothing of arguments
PUBLIC = [getattr(helpers, name) for name in helpers.__all__ if name != "fact"]
SECRET = "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnopqrstuvwx"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def workshop():
    return Workshop(boto3.Session("x", "x", region_name="us-east-1"), "emulator", "http://127.0.0.1:9")


@pytest.fixture
def inbox(tmp_path):
    return Inbox(WebhookUrl("http://127.0.0.1:9/services/T/B/x"), control="http://127.0.0.1:9", file=tmp_path / "i")


def logs():
    return boto3.client("logs", region_name="us-east-1")


def table(rows: int = 0) -> pd.DataFrame:
    return pd.DataFrame(columns=list(COLUMNS)).head(rows).astype(COLUMNS)


ENDLESS: dict[str, object] = {}
ENDLESS["itself"] = ENDLESS
WRONG = {
    "deploy a number": lambda w, i: deploy(w, "f", 123),
    "deploy nothing": lambda w, i: deploy(w, "f", ""),
    "deploy blanks": lambda w, i: deploy(w, "f", "  "),
    "deploy to None": lambda w, i: deploy(None, "f", {"app.py": ""}),
    "deploy to the class": lambda w, i: deploy(Workshop, "f", {"app.py": ""}),
    "deploy without a name": lambda w, i: deploy(w, "", {"app.py": ""}),
    "deploy a name that is a number": lambda w, i: deploy(w, 5, {"app.py": ""}),
    "deploy a name with a slash": lambda w, i: deploy(w, "/", {"app.py": ""}),
    "deploy a name with a blank": lambda w, i: deploy(w, "my function", {"app.py": ""}),
    "deploy a name that is too long": lambda w, i: deploy(w, "f" * 500, {"app.py": ""}),
    "deploy without code": lambda w, i: deploy(w, "f"),
    "deploy with a stray keyword": lambda w, i: deploy(w, "f", {"app.py": ""}, Memory=1),
    "deploy for a runtime that is a number": lambda w, i: deploy(w, "f", {"app.py": ""}, Runtime=3),
    "package a number": lambda w, i: package(5),
    "package nothing": lambda w, i: package(""),
    "package None": lambda w, i: package(None),
    "package a list": lambda w, i: package(["app.py"]),
    "package out of the archive": lambda w, i: package({"../x": "y"}),
    "package in the middle of a name out of it": lambda w, i: package({"a/../../x": "y"}),
    "package from the root": lambda w, i: package({"/x": "y"}),
    "package a folder's name": lambda w, i: package({"x/": "y"}),
    "package a name of nothing": lambda w, i: package({"": "y"}),
    "package a name of Windows": lambda w, i: package({"a\\x": "y"}),
    "package a name that is a number": lambda w, i: package({1: "y"}),
    "package a content that is a number": lambda w, i: package({"x": 1}),
    "package a content that is None": lambda w, i: package({"x": None}),
    "package no dict's entries": lambda w, i: package({}),
    "package libraries as a text": lambda w, i: package({"x": ""}, "pg8000"),
    "package libraries of numbers": lambda w, i: package({"x": ""}, [1]),
    "package a path that is not there": lambda w, i: package(Path("no/such")),
    "layer of a text": lambda w, i: package_layer("pillow"),
    "layer of nothing": lambda w, i: package_layer([]),
    "event that is a number": lambda w, i: load_event(3),
    "event that is empty": lambda w, i: load_event(""),
    "event with a stray key": lambda w, i: load_event("sqs", nosuch=1),
    "compare a text": lambda w, i: compare_events("{}", {}),
    "compare one event": lambda w, i: compare_events({}),
    "reports of None": lambda w, i: reports(None),
    "reports of a workshop": lambda w, i: reports(w, "f"),
    "reports of another client": lambda w, i: reports(boto3.client("sqs", region_name="us-east-1"), "f"),
    "reports of no function": lambda w, i: reports(logs(), None),
    "reports of a name of other letters": lambda w, i: reports(logs(), "größe"),
    "reports of a log group": lambda w, i: reports(logs(), "/aws/lambda/f"),
    "claim many values": lambda w, i: helpers.claim("it holds", pd.Series([True, False])),
    "a fact of a list": lambda w, i: helpers.fact(["timeout"]),
    "reports of a few": lambda w, i: reports(logs(), "f", at_least="3"),
    "reports of half a line": lambda w, i: reports(logs(), "f", at_least=1.5),
    "reports since a text": lambda w, i: reports(logs(), "f", since="2026-11-20"),
    "reports since a time without zone": lambda w, i: reports(logs(), "f", since=datetime(2026, 11, 20)),
    "reports within less than nothing": lambda w, i: reports(logs(), "f", timeout=-1),
    "reports within NaN": lambda w, i: reports(logs(), "f", timeout=float("nan")),
    "plot an empty table": lambda w, i: plot_durations(pd.DataFrame()),
    "plot no report": lambda w, i: plot_durations(table()),
    "plot a list": lambda w, i: plot_durations([1, 2]),
    "plot by nothing there": lambda w, i: plot_durations(table(), by="colour"),
    "plot a timeline of an empty table": lambda w, i: plot_timeline(pd.DataFrame()),
    "plot a timeline of no report": lambda w, i: plot_timeline(table()),
    "plot into a number": lambda w, i: plot_timeline(table(), ax=4),
    "plot a timeline that begins with texts": lambda w, i: plot_timeline(table().assign(start="now")),
    "map into a number": lambda w, i: draw_map(4),
    "inbox of a number": lambda w, i: open_inbox(3),
    "inbox of an emulator": lambda w, i: open_inbox(w),
    "clean a number": lambda w, i: clean(3),
    "check nothing": lambda w, i: check(),
    "check a function first": lambda w, i: check(print, "01.1"),
    "check None": lambda w, i: check(None),
    "check an exercise of no notebook": lambda w, i: check("77.1", print),
    "hint of a list": lambda w, i: hint(["01.1"]),
    "hint of text as number": lambda w, i: hint("01.1", "first"),
    "hint of a notebook without exercises": lambda w, i: hint("00"),
    "solution in no language": lambda w, i: solution("09", "cobol"),
    "solution in a number": lambda w, i: solution("09", 3),
    "start at None": lambda w, i: start_at(None),
    "start at a notebook that there is not": lambda w, i: start_at("77"),
    "start at in a number": lambda w, i: start_at("09", 3),
    "reset nothing": lambda w, i: reset(),
    "reset an unknown notebook": lambda w, i: reset("99"),
    "prices of a number": lambda w, i: load_prices(3),
    "prices of Mars": lambda w, i: load_prices("mars-1"),
    "watch None": lambda w, i: watch(None),
    "watch a number": lambda w, i: watch(w, 3),
    "watch a name with a blank": lambda w, i: watch(w, "my function"),
    "watch a part that there is not": lambda w, i: watch(w, show="everything"),
    "most of a number": lambda w, i: watch(w).most(3),
    "track a number": lambda w, i: list(track(5, "x")),
    "track without a total": lambda w, i: list(track(iter([1]), "x")),
    "track without a label": lambda w, i: list(track([1], None)),
    "explore no function": lambda w, i: explore(3, x=[1]),
    "explore no list": lambda w, i: explore(lambda x=1: None, x=1),
    "explore a parameter that it lacks": lambda w, i: explore(lambda x=1: None, y=[1]),
    "connect with a target": lambda w, i: connect("aws"),
    "connect without saying whether to ask": lambda w, i: connect(ask="no"),
    "choose Mars": lambda w, i: helpers.choose("mars"),
    "choose nothing": lambda w, i: helpers.choose(),
    "predict without a key": lambda w, i: predict(None),
    "join a number": lambda w, i: helpers.join(4),
    "join by no word": lambda w, i: helpers.join(" "),
    "join by a word that is too short": lambda w, i: helpers.join("abc"),
    "join at no address": lambda w, i: helpers.join("green tiger@a b"),
    "join under a number": lambda w, i: helpers.join("green tiger", 4),
    "what was sent, of a few": lambda w, i: helpers.join().sent("few"),
    "leave where one is not": lambda w, i: helpers.join().leave(),
    "a hand that is a text": lambda w, i: helpers.hand("up"),
    "a hand outside of a class": lambda w, i: helpers.hand(),
    "predict of a choice": lambda w, i: predict("02.a", choices="yes"),
    "plot texts": lambda w, i: plot_durations(
        pd.DataFrame({"duration_ms": ["a"], "init_ms": ["b"], "status": ["success"]})
    ),
    "package half a character": lambda w, i: package({"a.py": "\ud800"}),
    "post what is no JSON": lambda w, i: i.post({"text": {1, 2}}),
    "post what holds itself": lambda w, i: i.post(ENDLESS),
    "compare what is no JSON": lambda w, i: compare_events({"a": {1, 2}}, {}),
    "compare what holds itself": lambda w, i: compare_events({}, ENDLESS),
    "explore nothing": lambda w, i: explore(print),
    "explore a function of Python's": lambda w, i: explore(min, x=[1]),
    "explore without values": lambda w, i: explore(lambda x=1: None, x=[]),
    "a client with a number": lambda w, i: w.client("s3", 3),
    "a role of an empty text": lambda w, i: w.role(""),
    "a client that there is not": lambda w, i: w.client("lamda"),
    "a client of None": lambda w, i: w.client(None),
    "a name that is a number": lambda w, i: w.name(3),
    "a name with a capital": lambda w, i: w.name("Hello"),
    "a role of a list": lambda w, i: w.role(["AmazonS3ReadOnlyAccess"]),
    "a message that is a text": lambda w, i: i.post("hello"),
    "messages since a text": lambda w, i: i.messages("now"),
    "messages since a time without zone": lambda w, i: i.messages(datetime(2026, 1, 1)),
    "wait for a few": lambda w, i: i.wait("few"),
    "wait for half": lambda w, i: i.wait(0.5),
    "wait for less than nothing": lambda w, i: i.wait(-1),
    "wait for ever": lambda w, i: i.wait(1, timeout=float("inf")),
    "fail next text": lambda w, i: i.fail_next("1"),
    "fail next as a text": lambda w, i: i.fail_next(1, "500"),
    "slow next text": lambda w, i: i.slow_next(1, "s"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_call_is_one_sentence_of_ours(name, workshop, inbox):
    with pytest.raises(WorkshopError) as caught:
        WRONG[name](workshop, inbox)
    said = str(caught.value)
    assert said.endswith((".", "?")) and "\n" not in said
    assert not re.search(r"object at 0x", said)


@pytest.mark.parametrize("function", [*PUBLIC, *METHODS], ids=lambda function: function.__qualname__)
def test_every_public_function_says_how_it_is_called(function):
    if "self" in inspect.signature(function).parameters:
        function = function.__get__(object())
    with pytest.raises(ArgumentError, match=r"\(\) cannot be called so: .*; it takes \(.*\)\.$"):
        function(**{"no such argument": 1})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda w: deploy(w, "f", 123),
            "deploy() takes as code a zip archive as bytes, a folder, a file, a dict of file "
            'names and texts, or a function of the workshop such as "hello/python", and not 123.',
        ),
        (lambda w: deploy(None, "f", ""), "deploy() takes as workshop what connect() returns, and not None."),
        (
            lambda w: check(),
            "check() cannot be called so: missing a required argument: 'exercise'; it takes (exercise, answer=None).",
        ),
        *(
            (lambda w, asked=asked: w.client(asked), f"boto3 knows no service {asked!r}; did you mean {meant!r}?")
            for asked, meant in {
                "lamda": "lambda",
                "EventBridge": "events",
                "cloudwatch-logs": "logs",
                "step-functions": "stepfunctions",
                "rekognitio": "rekognition",
            }.items()
        ),
        (
            lambda w: package({"../x": "y"}),
            "'../x' is no name of a file in an archive; name it like 'app.py' or 'lib/tools.py'.",
        ),
        (
            lambda w: plot_durations(pd.DataFrame()),
            "plot_durations() takes as frame a table of reports(), with its columns duration_ms, init_ms, status, "
            "and not a DataFrame.",
        ),
    ],
)
def test_what_is_said(call, said, workshop):
    with pytest.raises(WorkshopError) as caught:
        call(workshop)
    assert str(caught.value) == said


def test_a_service_that_is_like_no_other_gets_those_that_the_workshop_uses(workshop):
    with pytest.raises(
        ArgumentError, match=r"^boto3 knows no service 'qqq'; the workshop uses apigatewayv2, .*, sqs, .*\.$"
    ):
        workshop.client("qqq")


def test_what_boto3_cannot_send_is_one_sentence(aws):
    with pytest.raises(
        ArgumentError, match=r"^deploy\(\) was given .*: Invalid type for parameter MemorySize, value: 512"
    ):
        deploy(aws, aws.name("test-arguments"), {"app.py": "def handler(event, context): pass"}, MemorySize="512")


def test_it_is_the_error_that_python_has_for_it():
    assert issubclass(ArgumentError, ValueError) and issubclass(ArgumentError, TypeError)


@pytest.mark.parametrize(
    ("made", "call"),
    [
        ("labs", lambda: start_at("09")),
        ("labs/09/python", lambda: start_at("09")),
        ("labs/09/python/app.py/a-folder", lambda: hint("09")),
        ("labs/09/python/app.py/a-folder", lambda: reset("09")),
        ("target/a-folder", lambda: helpers.choose("aws")),
        ("progress.json/a-folder", lambda: check("07.1", print)),
    ],
)
@pytest.mark.usefixtures("own_notebooks")
def test_what_is_in_the_place_of_a_file_of_the_reader_is_one_sentence(home, made, call):
    (home / made).parent.mkdir(parents=True, exist_ok=True)
    (home / made).write_text("")
    place = made.removesuffix("/a-folder")
    with pytest.raises(WorkshopError) as caught:
        call()
    assert re.fullmatch(
        rf"Cannot (?:use|read|write to) {home}/{place}.* \(.*\); something else is in its place: move it away, or set "
        r"WORKSHOP_HOME to another folder\.",
        str(caught.value),
    )


def test_a_secret_is_not_said():
    for url in (SECRET, WebhookUrl(SECRET)):
        with pytest.raises(ArgumentError) as caught:
            open_inbox(url)
        assert "abcdef" not in str(caught.value)


def test_a_right_call_goes_through_and_keeps_its_signature():
    assert json.loads(json.dumps(load_event("hello"))) == load_event("hello")
    assert str(inspect.signature(hint)) == "(exercise: str, number: int | None = None) -> None"
    assert load_event.__doc__.startswith("Return events/")


def test_a_parameter_that_the_function_lacks_is_a_fault_of_ours():
    with pytest.raises(AssertionError):
        takes(colour=helpers.arguments.TEXT)(lambda event: None)


def test_since_takes_what_the_notebooks_give(inbox):
    assert inbox.messages(since=datetime.now(UTC)) == []


@pytest.mark.parametrize("name", ["hello", "my-function", "function"])
@pytest.mark.parametrize("before", ["", "000000000000:function:", "arn:aws:lambda:us-east-1:000000000000:function:"])
@pytest.mark.parametrize("qualifier", ["", ":1", ":live"])
def test_the_name_of_a_function_is_found_in_each_way_to_name_it(name, before, qualifier):
    assert name_of_function(f"{before}{name}{qualifier}") == name
