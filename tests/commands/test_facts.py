"""`python3 -m helpers facts`: the table, and what the newest botocore of the registry contradicts."""

import gzip
import json
import re
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import botocore
import pytest

from helpers import settings
from helpers.commands import doctor
from helpers.commands import facts as command
from helpers.facts import facts

DATA = Path(botocore.__file__).parent / "data"


@pytest.fixture
def registry(monkeypatch):
    """A registry whose botocore is the installed one, as `change` makes its model of Lambda."""

    def offer(change=lambda model: None, fails=""):
        def pretend(arguments, **_):
            assert arguments[:4] == [sys.executable, "-m", "pip", "download"] and "--no-deps" in arguments
            if not fails:
                _write_wheel(Path(arguments[arguments.index("--dest") + 1]) / "botocore-9.0.0-py3-none-any.whl", change)
            return subprocess.CompletedProcess(arguments, int(bool(fails)), "", fails)

        monkeypatch.setattr(command.subprocess, "run", pretend)

    return offer


def _write_wheel(path, change):
    services = {each.model.partition(":")[0] for each in facts().values() if each.model}
    with zipfile.ZipFile(path, "w") as wheel:
        for service in services:
            [file] = [sorted((DATA / service).glob("*/service-2.json.gz"))[-1]]
            model = json.loads(gzip.decompress(file.read_bytes()))
            if service == "lambda":
                change(model)
            name = f"botocore/data/{service}/{file.parent.name}/service-2.json.gz"
            wheel.writestr(name, gzip.compress(json.dumps(model).encode()))


def test_the_table_is_listed_with_sources_and_days(capsys):
    assert command.show() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(facts())
    assert "1,800 s; slides: 900 s; since 2026-11-19" in lines[0]
    assert all(re.search(r"checked \d{4}-\d\d-\d\d\)$", line) for line in lines)


def test_a_newest_botocore_that_agrees(registry, capsys):
    registry()
    assert command.compare_with_newest() == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(r"botocore 9\.0\.0 agrees with facts\.toml: models state \d+ of \d+ facts", captured.err)


def test_what_has_drifted_is_told_with_both_values_and_its_uses(registry, capsys):
    def change(model):
        model["shapes"]["MaximumRetryAttempts"]["max"] = 5
        del model["shapes"]["TenantIsolationMode"]
        members = model["shapes"]["CreateFunctionRequest"]["members"]
        text = members["Timeout"]["documentation"]
        members["Timeout"]["documentation"] = text.replace("1,800", "3,600")
        assert members["Timeout"]["documentation"] != text

    registry(change)
    assert command.compare_with_newest() == 1
    captured = capsys.readouterr()
    told = "timeout: .*should state 'the maximum allowed value is 1,800 seconds'; it says '.*3,600 seconds"
    assert re.search(told, captured.out)
    assert "\n    helpers/connect.py:" in captured.out
    assert "asynchronous_retries: lambda:MaximumRetryAttempts.max should state '2'; it states 5" in captured.out
    assert "tenant_isolation: " in captured.out and "it has no such place" in captured.out
    assert "contradicts 3 of the facts" in captured.err


@pytest.mark.parametrize(
    ("fails", "why"),
    [
        (
            "WARNING: Retrying …: Failed to establish a new connection: [Errno 111]",
            "no package registry can be reached",
        ),
        ("ERROR: No matching distribution found for botocore", "no package registry that pip can reach has it"),
        ("ERROR: something new", "pip could not download it"),
    ],
)
def test_without_a_network_it_is_one_sentence(registry, fails, why):
    registry(fails=fails)
    with pytest.raises(command.RegistryError, match=f"^The newest botocore did not come: {why}.*\\.$"):
        command.compare_with_newest()


def test_uses_are_found_in_code_and_in_prose():
    places = command.used_in("timeout")
    assert any(place.startswith("helpers/localaws/services/lambda_/quotas.py:") for place in places)
    assert any(place.startswith("notebooks/lessons/06-limits/notebook.py:") for place in places)
    for place in places:
        path, _, number = place.rpartition(":")
        line = (settings.ROOT / path).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        assert "timeout" in line
    assert not any("timeout_min" in place for place in command.used_in("nothing_of_this_name"))


@pytest.mark.parametrize(
    ("today", "grade", "said"),
    [
        (date(2026, 11, 28), "ok", "was checked on 2026-11-28."),
        (date(2027, 6, 1), "note", "AWS has deprecated nodejs22.x, ruby3.3, which the workshop knows"),
        (date(2027, 3, 1), "ok", "was checked on 2026-11-28."),
    ],
    ids=str,
)
def test_doctor_says_when_the_facts_were_checked_and_what_aws_has_deprecated(monkeypatch, today, grade, said):
    monkeypatch.setattr(doctor, "date", SimpleNamespace(today=lambda: today))
    found, sentence = doctor._facts()
    assert (found, said in sentence) == (grade, True), sentence


def test_doctor_says_when_the_facts_are_old(monkeypatch):
    monkeypatch.setattr(doctor, "FRESH", timedelta(days=30))
    monkeypatch.setattr(doctor, "date", SimpleNamespace(today=lambda: date(2027, 1, 1)))
    grade, sentence = doctor._facts()
    assert grade == "note" and "was checked on 2026-11-28; python3 -m helpers facts --newest" in sentence
