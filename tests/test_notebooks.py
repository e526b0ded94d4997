"""The notebooks of the workshop: as their sources make them, and each executed twice on an AWS of its own."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from helpers import localaws, notebooks, settings

AT_ONCE = 4  # they wait more than they work
SOURCES = notebooks.sources(settings.NOTEBOOKS)
JOBS = [(source.name, variant) for source in SOURCES for variant in ("starter", "solution")]


@dataclass
class Runs:
    """What came of the two runs of a notebook on one AWS, and of cleaning up after them."""

    first: list[str]
    second: list[str]
    clean: subprocess.CompletedProcess[str]
    left: list[str]


@pytest.fixture(scope="module")
def runs(request) -> Iterator[dict[tuple[str, str], Future[Runs]]]:
    """Run side by side all notebooks that the chosen tests ask for."""
    chosen = [item.callspec.params["job"] for item in request.session.items if item.module is request.module
              and "job" in getattr(item, "fixturenames", ())]  # fmt: skip
    cells = {source.name: len(source.cells) for source in SOURCES}
    chosen.sort(
        key=lambda job: cells[job[0]], reverse=True
    )  # the longest first, so that no other waits for it
    pool = ThreadPoolExecutor(AT_ONCE)
    yield {job: pool.submit(_run_twice, *job) for job in chosen}
    pool.shutdown(cancel_futures=True)


def test_there_are_notebooks():
    assert len(SOURCES) >= 12
    assert len({source.name[:2] for source in SOURCES}) == len(SOURCES), "a number names one notebook"


def test_every_notebook_is_as_its_source_makes_it():
    touched = _in_work()
    problems = [each for each in notebooks.build(check=True) if not each.startswith(tuple(touched))]
    assert problems == []
    if touched:
        pytest.skip(f"somebody's work is in {', '.join(touched)}, which git does not know yet")


def _in_work() -> list[str]:
    """Starters that a reader has run or changed since git last saw them: theirs to keep, and no error."""
    changed = subprocess.run(
        ["git", "diff", "--name-only", "--relative", "HEAD", "--", "*.ipynb"],
        cwd=settings.NOTEBOOKS, capture_output=True, text=True,
    )  # fmt: skip
    return [name for name in changed.stdout.splitlines() if "/" not in name]


@pytest.mark.parametrize("job", JOBS, ids="-".join)
def test_runs_twice_and_leaves_nothing(job, runs):
    done = runs[job].result()

    assert done.first == []
    assert done.second == [], "where everything is there already"
    assert done.clean.returncode == 0, done.clean.stderr
    assert "Nothing is left." in done.clean.stdout
    assert done.left == []


def _run_twice(name: str, variant: str) -> Runs:
    def run() -> list[str]:
        return notebooks.run([name[:2]], variant == "solution", fresh=True, environment=environment)

    with notebooks.fresh_aws() as environment:
        first, second = run(), run()
        clean = subprocess.run(
            [sys.executable, "-m", "helpers", "clean"],
            cwd=settings.ROOT, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        return Runs(first, second, clean, _left(Path(environment["WORKSHOP_HOME"])))


def _left(home: Path) -> list[str]:
    """What an AWS holds that held nothing at first, whatever a ledger says."""
    variables = localaws.running(home).variables()

    def client(service: str):
        return boto3.Session().client(
            service, endpoint_url=variables["AWS_ENDPOINT_URL"], region_name=variables["AWS_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )  # fmt: skip

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
