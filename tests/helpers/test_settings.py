"""A setting says what it says, or is refused by one sentence; none counts for nothing without a word."""

import os
import re
from pathlib import Path

import pytest
from broken_disk import as_nobody

from helpers import aws_choice, settings
from helpers.settings import SettingError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith(("AWS_", "WORKSHOP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("text", ["~/x", " ~/x ", "~/a/../x"])
def test_a_home_below_the_readers_own(monkeypatch, tmp_path, text):
    monkeypatch.setenv("WORKSHOP_HOME", text)
    assert settings.home() == tmp_path / "x"


@pytest.mark.parametrize("text", ["", " "])
def test_a_home_that_is_empty_is_the_checkouts(monkeypatch, text):
    monkeypatch.setenv("WORKSHOP_HOME", text)
    assert settings.home() == settings.ROOT / "work"


BAD = {
    "WORKSHOP_HOME": ["~nobody-of-this-name/x"],
    "WORKSHOP_PORT": ["0", "-1", "4566.0", "65536", "٤٥٦٦"],
    "WORKSHOP_CONCURRENCY": ["0", "-1", "many", "1e3", "10001"],
    "WORKSHOP_CPU_SHARE": ["maybe", "1"],
    "WORKSHOP_TARGET": ["mars", "embedded aws"],
    "WORKSHOP_LEARNER": ["_", "日本", "--"],
    "AWS_REGION": ["mars", "us-east", "US-EAST-1", "us-east-1 ", "us-east-1/../x"],
    "AWS_DEFAULT_REGION": ["mars"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_what_cannot_be_is_refused_by_one_sentence(monkeypatch, name, text):
    monkeypatch.setenv(name, text)
    with pytest.raises(SettingError) as caught:
        for setting in aws_choice.SETTINGS:
            setting()
    assert re.fullmatch(
        rf"{name} is '{re.escape(text.lower() if name == 'WORKSHOP_TARGET' else text)}'; set it to .*\.",
        str(caught.value),
    )


@pytest.mark.parametrize("text", ["a role", "arn:aws:iam::000087654321:user/ada", "x" * 65])
def test_what_is_no_role_is_refused_without_showing_an_account(monkeypatch, text):
    monkeypatch.setenv("WORKSHOP_ROLE", text)
    with pytest.raises(SettingError, match=r"^WORKSHOP_ROLE names no role; set it to the name or the ARN of a role"):
        settings.role()


@pytest.mark.parametrize("text", ["a policy", "arn:aws:iam::000087654321:role/ada", "x" * 129])
def test_what_is_no_boundary_is_refused_without_showing_an_account(monkeypatch, text):
    monkeypatch.setenv("WORKSHOP_BOUNDARY", text)
    with pytest.raises(
        SettingError, match=r"^WORKSHOP_BOUNDARY names no policy; set it to the name or the ARN of a manag"
    ):
        settings.boundary()


@pytest.mark.parametrize("region", ["us-east-1", "ap-northeast-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1"])
def test_regions_of_aws(monkeypatch, region):
    monkeypatch.setenv("AWS_REGION", region)
    assert settings.region() == region


def test_a_home_that_is_somebody_elses_is_one_sentence(monkeypatch, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    target = theirs / aws_choice.TARGET_FILE
    target.write_text("embedded")
    target.chmod(0)
    monkeypatch.setenv("WORKSHOP_HOME", str(theirs))
    with as_nobody(target):
        with pytest.raises(
            SettingError, match=r"^Cannot read .*/theirs/target \(Permission denied\); .* WORKSHOP_HOME"
        ):
            aws_choice.chosen()
        with pytest.raises(SettingError, match=r"^Cannot write to .*/theirs.* \(Permission denied\); .* WORKSHOP_HOME"):
            aws_choice.choose("aws")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WORKSHOP_REGION", "did you mean AWS_REGION?"),
        ("WORKSHOP_LERNER", "did you mean WORKSHOP_LEARNER?"),
        ("WORKSHOP_HOMES", "did you mean WORKSHOP_HOME?"),
        ("WORKSHOP_XYZZY", "there are WORKSHOP_BOUNDARY, "),
    ],
)
def test_a_setting_that_there_is_not_is_remarked(monkeypatch, name, meant):
    monkeypatch.setenv(name, "mars")
    (said,) = settings.remarks()
    assert said.startswith(f"There is no setting {name}, so it counts for nothing; {meant}")


def test_a_prefix_that_is_not_the_name_is_remarked(monkeypatch):
    monkeypatch.setenv("WORKSHOP_LEARNER", "Bad_Name")
    assert settings.remarks()[0].startswith("WORKSHOP_LEARNER is 'Bad_Name'; names begin with 'bad-name', as AWS takes")
    monkeypatch.setenv("WORKSHOP_LEARNER", "good-name")
    assert settings.remarks() == []


def test_every_setting_that_is_read_is_known():
    sources = [path for path in (settings.ROOT / "helpers").rglob("*.py") if path.name != "settings.py"]
    read = {name for path in [*sources, Path(settings.__file__)] for name in names_in(path.read_text())}
    assert read - set(settings.OTHER_NAMES) == set(settings.NAMES)


def names_in(text: str) -> set[str]:
    return set(re.findall(r"WORKSHOP_[A-Z]+(?:_[A-Z]+)*(?![A-Z_*])", text))
