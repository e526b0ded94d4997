"""The workflow that publishes the site: it may do what it must and no more, and what it calls is there."""

import re
import shlex

import yaml

from helpers import __main__ as command_line
from helpers import settings

TEXT = (settings.ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_only_the_job_that_publishes_may_write_and_it_runs_nothing_of_ours():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    jobs = WORKFLOW["jobs"]
    assert {name: job.get("permissions") for name, job in jobs.items()} == {
        "site": None,
        "publish": {"pages": "write", "id-token": "write"},
    }
    assert all(step.get("with", {}).get("persist-credentials") is False for step in STEPS if "checkout@" in str(step))
    assert not any("run" in step for step in jobs["publish"]["steps"])
    assert not re.search(r"secrets\.|github\.event\.", TEXT)


def test_every_action_is_githubs_own_and_pinned_by_commit_with_its_version_beside_it():
    used = re.findall(r"uses: (.+)", TEXT)
    assert len(used) == sum("uses" in step for step in STEPS) > 0
    assert [each for each in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_its_commands_are_the_workshops():
    commands = [shlex.split(step["run"]) for step in STEPS if "run" in step]
    assert len(commands) == 1
    for command in commands:
        assert command[:3] == ["python3", "-m", "helpers"]
        options = command_line._parser().parse_args(command[3:])
        assert options.command == "site"


def test_what_is_published_is_what_was_written():
    [written] = [re.search(r'--out "(.+)"', step["run"])[1] for step in STEPS if "run" in step]
    [published] = [step["with"]["path"] for step in STEPS if "upload-pages-artifact" in step.get("uses", "")]
    assert written == "$RUNNER_TEMP/site" and published == "${{ runner.temp }}/site"
