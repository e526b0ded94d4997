"""Whatever WORKSHOP_LEARNER is, each name that a notebook gives to something in AWS is one that AWS takes."""

import ast
import random
import re
import string
from pathlib import Path

import boto3
import pytest

from helpers import connect, settings
from helpers.connect import Workshop

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]")  # S3's, the narrowest: 3 to 63 characters
ACTION = re.compile(r'"((?:dynamodb|lambda|s3|sqs|states):[A-Z]\w+)"')
ON_ALL = {"Effect": "Allow", "Resource": "*"}
FILLED = "x" * 10  # in place of what an f-string puts in, such as a runtime
HAND_MADE = [
    "a",
    "1",
    "a" * 18,
    "a" * 19,
    "a" * 20,
    "9" * 20,
    "a" * 19 + "_",
    "A" * 50,
    "1-" * 10,
    "Bad_Name",
    "Ada L.",
]
RANDOM = random.Random(20)


def _calls(path: Path):
    """The method and the first argument of name(), bucket() and role(), where it stands there as a text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            text = _text(node.args[0])
            if node.func.attr in ("name", "bucket") and text:
                yield node.func.attr, text


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return FILLED
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


SOURCES = sorted((settings.NOTEBOOKS / "lessons").glob("*/*.py"))
GIVEN = sorted({call for path in SOURCES for call in _calls(path)})
ACTIONS = sorted({name for path in SOURCES for name in ACTION.findall(path.read_text(encoding="utf-8"))})
POLICIES = ["service-role/AWSLambdaSQSQueueExecutionRole", *({**ON_ALL, "Action": action} for action in ACTIONS)]


def _learners() -> list[str]:
    """Settings of every length, of what a keyboard gives."""
    keys = string.ascii_letters + string.digits + " -_.@é"
    return HAND_MADE + ["a" + "".join(RANDOM.choices(keys, k=length)) for length in range(40)]


def test_there_are_names_and_actions():
    assert len(GIVEN) > 40 and {method for method, _ in GIVEN} == {"name", "bucket"}
    assert {"s3:GetObject", "sqs:SendMessage", "dynamodb:PutItem", "lambda:InvokeFunction"} <= set(ACTIONS)


@pytest.mark.parametrize("learner", _learners(), ids=repr)
def test_a_prefix_works_in_every_notebook(monkeypatch, learner):
    monkeypatch.setenv("WORKSHOP_LEARNER", learner)
    # on AWS, where names of buckets are the longest
    workshop = Workshop(boto3.Session("x", "x", region_name="eu-west-1"), "aws", account="123456789012")
    names = {getattr(workshop, method)(text) for method, text in GIVEN}
    assert [name for name in names if not NAME.fullmatch(name) or not name.startswith(settings.learner())] == []
    assert len(names) == len(GIVEN)


@pytest.mark.parametrize("length", range(17, 21))
def test_a_prefix_of_each_length_has_a_role_for_each_set_of_policies(aws_of_module, monkeypatch, length):
    monkeypatch.setenv("WORKSHOP_LEARNER", "a" * length)
    workshop = connect()
    sets = [(), *((policy,) for policy in POLICIES), (POLICIES[0], POLICIES[1]), tuple(POLICIES)]
    made = {workshop.role(*policies).rsplit("/", 1)[-1] for policies in sets}
    assert len(made) == len(sets)
    assert [name for name in made if not NAME.fullmatch(name)] == []
