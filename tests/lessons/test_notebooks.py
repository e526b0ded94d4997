"""The notebooks of the workshop: as their sources make them, and each executed on an AWS that holds nothing.

There the learner is a user with the policies of `python3 -m helpers policy NN` alone, and each role that is made has
the boundary that goes with them.
"""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from judged_learner import BOUNDARY_ARN, LEARNER, JudgedLearner
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from role_use import refused, unused

from helpers import authoring, lessons, settings
from helpers.authoring import lint
from helpers.authoring.execution import kernel
from helpers.authoring.source import Source, is_check, is_exercise
from helpers.policies import policies

# The longest first, so that no other test waits for it at the end.
LESSONS = sorted(lessons.lessons(), key=lambda lesson: lesson.source.stat().st_size, reverse=True)

# A cell that takes a good part of its notebook's time measures, and has nothing to stumble over where it runs again:
# it runs once.
LONG_S, GOOD_PART = 4, 0.08
REFUSED = {
    "11": {"a role: sqs:ReceiveMessage"},  # run again, the function has its first role while there is a mapping already
    "15": {"a role: s3:PutObject"},  # the loop that its role forbids
    "17": {"a role: s3:ListBucket"},  # the AccessDenied that a reader mends, and the check without a statement
}
UNUSED = {
    # the reader writes this function: an answer may put the item
    "14": {"dynamodb:PutItem on arn:aws:dynamodb:us-east-1:000000000000:table/learner-pdf-counts"}
}


def test_there_are_notebooks():
    assert len(LESSONS) >= 12


def test_every_notebook_is_as_its_source_makes_it():
    touched = _in_work()
    problems = [each for each in authoring.build(check=True) if not each.startswith(tuple(touched))]
    assert problems == []
    if touched:
        pytest.skip(f"somebody's work is in {', '.join(touched)}, which git does not know yet")


def _in_work() -> list[str]:
    """Starters that a reader has run or changed since git last saw them: theirs to keep, and no error."""
    changed = subprocess.run(
        ["git", "diff", "--name-only", "--relative", "HEAD", "--", "*.ipynb"],
        cwd=settings.NOTEBOOKS,
        capture_output=True,
        text=True,
    )
    return [name for name in changed.stdout.splitlines() if "/" not in name]


@pytest.fixture(scope="session")
def empty_aws_and_kernel():
    """Give an AWS that holds nothing, and a kernel for it: those of the notebook before, where all went well."""
    with contextlib.ExitStack() as opened:
        ready = []

        @contextlib.contextmanager
        def take():
            if not ready:
                opened.close()
                with pytest.MonkeyPatch.context() as while_it_starts:
                    while_it_starts.setenv("WORKSHOP_CONCURRENCY", "60")  # not 1,000
                    environment = opened.enter_context(authoring.fresh_aws()) | {"WORKSHOP_BOUNDARY": BOUNDARY_ARN}
                judged = JudgedLearner(Path(environment["WORKSHOP_HOME"]))
                ready.append((judged, opened.enter_context(kernel(environment))))
            taken = ready.pop()
            yield taken
            ready.append(taken)

        yield take


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_runs_again_and_again_and_leaves_nothing(lesson, empty_aws_and_kernel):
    with empty_aws_and_kernel() as (learner, runs):
        learner.may(policies([lesson.number], LEARNER, embedded=True))
        starter, watch = lint.read(lesson.starter_path), Stopwatch()
        assert runs.execute(starter, settings.NOTEBOOKS, fresh=True, on_cell=watch) == [], "where nothing is there yet"
        assert runs.stops == [], "Run All reaches the end, with no exercise solved"
        if runs.execute(_again(lesson, watch.long()), settings.NOTEBOOKS, go_on=True):
            # what a long cell had filled, one that ran again had emptied: then all of them
            problems = runs.execute(_again(lesson, set()), lesson.solution_path.parent)
            assert problems == [], "where everything is there already"
        cleaning = new_notebook(cells=[new_code_cell("from helpers import clean\nclean()")])
        assert runs.execute(cleaning, settings.NOTEBOOKS) == []
        assert "Nothing is left." in cleaning.cells[0].outputs[0].text
        assert _left(learner.administrator) == []
        assert _permission_problems(lesson.number, learner.activity()) == []


def test_the_look_at_roles_sees_what_is_refused_and_what_is_not_used():
    read, write = (
        {"Effect": "Allow", "Action": f"s3:{each}Object", "Resource": "arn:aws:s3:::x/*"} for each in ("Get", "Put")
    )
    session = {"principal": "arn:aws:sts::000000000000:assumed-role/r/f", "resource": "arn:aws:s3:::x/a"}
    activity = [
        {"role": "r", "policy": json.dumps({"Statement": [read, write]})},
        {"role": "r", "policy": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
        session | {"action": "s3:GetObject", "allowed": True},
        session | {"action": "s3:DeleteObject", "allowed": False},
        session | {"action": "s3:PutObject", "allowed": True, "resource": "arn:aws:s3:::y/a"},
    ]
    assert refused(activity) == {"a role: s3:DeleteObject"}
    assert unused(activity) == {"s3:PutObject on arn:aws:s3:::x/*", "arn:aws:iam::aws:policy/AmazonS3FullAccess"}


def _permission_problems(number: str, activity: list[dict[str, Any]]) -> list[str]:
    """What the policies or the roles of a notebook lack, and what its roles have too much."""
    return [
        *(f"{each} is refused" for each in sorted(refused(activity) - REFUSED.get(number, set()))),
        *(
            f"a role allows {each}, and no call uses it"
            for each in sorted(unused(activity) - UNUSED.get(number, set()))
        ),
    ]


class Stopwatch:
    """How long each cell of a notebook takes; it is told when one begins."""

    def __init__(self) -> None:
        self._began: list[float] = []

    def __call__(self, number: int) -> None:
        self._began.append(time.monotonic())

    def long(self) -> set[int]:
        """The cells that measure, numbered from 0."""
        ends = [*self._began[1:], time.monotonic()]
        limit = max(LONG_S, GOOD_PART * (ends[-1] - self._began[0]))
        return {place for place, began in enumerate(self._began) if ends[place] - began > limit}


def _again(lesson: lessons.Lesson, left_out: set[int]) -> NotebookNode:
    """The solution without some cells, and its exercises once more: the rest has run before, as the starter."""
    solution, exercises = lint.read(lesson.solution_path), _exercises(lesson)
    ids = {cell.id for cell in exercises}
    kept = [cell for place, cell in enumerate(solution.cells) if place not in left_out or cell.id in ids]
    solution.cells = kept + exercises
    return solution


def _exercises(lesson: lessons.Lesson) -> list[NotebookNode]:
    """The cells of the solution from each exercise to its check."""
    cells, inside = [], False
    for written, cell in zip(Source(lesson).cells, lint.read(lesson.solution_path).cells, strict=True):
        inside = inside or (written.kind == "code" and is_exercise(written.text))
        if inside:
            cells.append(cell)
        if is_check(cell):
            inside = False
    return cells


def _left(client: Callable[[str], Any]) -> list[str]:
    """What an AWS holds that held nothing at first, whatever a ledger says."""
    return [
        *(function["FunctionName"] for function in client("lambda").list_functions()["Functions"]),
        *(group["logGroupName"] for group in client("logs").describe_log_groups()["logGroups"]),
        *(role["RoleName"] for role in client("iam").list_roles()["Roles"]),
        *(rule["Name"] for rule in client("events").list_rules()["Rules"]),
        *(bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]),
        *client("sqs").list_queues().get("QueueUrls", []),
        *client("dynamodb").list_tables()["TableNames"],
        *(mapping["UUID"] for mapping in client("lambda").list_event_source_mappings()["EventSourceMappings"]),
        *(alarm["AlarmName"] for alarm in client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(layer["LayerName"] for layer in client("lambda").list_layers()["Layers"]),
        *(topic["TopicArn"] for topic in client("sns").list_topics()["Topics"]),
        *(schedule["Name"] for schedule in client("scheduler").list_schedules()["Schedules"]),
        *(api["ApiId"] for api in client("apigatewayv2").get_apis()["Items"]),
    ]
