"""A folder of wheels: what goes into it for other machines, and what is refused."""

import argparse
from pathlib import Path

import pytest

from helpers import settings
from helpers.commands import wheels as command
from helpers.installing import environment, wheels

MAC, LINUX = wheels.Target("3.13", "macos-arm64"), wheels.Target("3.11", "linux-aarch64")


EXTRAS = {"java": settings.JAVA_LOCK, "runtimes": settings.RUNTIMES_LOCK, "hub": settings.HUB_LOCK}
EXTRAS["site"] = settings.SITE_LOCK


def asked(folder, **options) -> argparse.Namespace:
    return argparse.Namespace(folder=folder, **{"python": [], "platform": [], **dict.fromkeys(EXTRAS, False)} | options)


def named(target: wheels.Target) -> set[str]:
    return {line.partition("==")[0] for line in wheels.requirements(settings.LOCK, target)}


def test_the_requirements_of_a_target_are_those_whose_markers_it_meets():
    assert named(MAC) - named(LINUX) >= {"appnope"}
    assert named(LINUX) - named(MAC) >= {"awslambdaric", "overrides"}
    unmarked = {name for name, package in environment.locked().items() if not package.marker}
    assert named(MAC) & named(LINUX) >= unmarked


def test_a_requirement_has_hashes_and_no_marker():
    for line in wheels.requirements(settings.LOCK, MAC):
        assert ";" not in line and " --hash=sha256:" in line, line


def test_every_marker_of_the_locks_is_understood():
    locks = (settings.LOCK, settings.HUB_LOCK, settings.SITE_LOCK)
    markers = {each.marker for lock in locks for each in environment.locked(lock).values()}
    assert len(markers) > 3
    for marker in filter(None, markers):
        assert {wheels.Target("3.14", platform).takes(marker) for platform in wheels.PLATFORMS} <= {True, False}


def test_pip_is_told_of_another_machine_and_not_of_this_one():
    assert wheels.here().options() == []
    assert MAC.options() == ["--implementation", "cp", "--python-version", "3.13", "--platform", "macosx_14_0_arm64"]
    assert "manylinux_2_28_aarch64" in LINUX.options() and "manylinux2014_aarch64" in LINUX.options()


@pytest.mark.parametrize(
    ("python", "platform", "said"),
    [
        (["3.10"], [], "There are no wheels for '3.10'; choose of 3.11, 3.12, 3.13, 3.14."),
        ([], ["windows"], "There are no wheels for 'windows'; choose of linux-x86_64, linux-aarch64, macos-"),
    ],
)
def test_a_machine_that_there_are_no_wheels_for_is_refused(python, platform, said, tmp_path, capsys):
    folder = tmp_path / "wheels"
    assert command.make(asked(folder, python=python, platform=platform)) == 2
    assert capsys.readouterr().err.startswith(said)
    assert not folder.exists()


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_what_is_asked_for_besides_is_downloaded_as_its_lock_says(extra, tmp_path, monkeypatch):
    wanted = []
    monkeypatch.setattr(environment, "run", lambda pip, *_: wanted.append(Path(pip[-1]).read_text().splitlines()))
    monkeypatch.setattr(wheels, "download_node", lambda *_: None)
    options = {"python": ["3.13"], "platform": ["linux-x86_64"]} | ({extra: True} if extra else {})
    assert command.make(asked(tmp_path / "wheels", **options)) == 0
    locks = [settings.LOCK, *([EXTRAS[extra]] if extra else [])]
    assert wanted == [wheels.requirements(lock, wheels.Target("3.13", "linux-x86_64")) for lock in locks]


def test_the_setting_has_to_be_a_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_WHEELS", str(tmp_path))
    assert settings.wheels() == tmp_path
    monkeypatch.setenv("WORKSHOP_WHEELS", "")
    assert settings.wheels() is None
    for wrong in (tmp_path / "none", "~nobody-of-this-name/x"):
        monkeypatch.setenv("WORKSHOP_WHEELS", str(wrong))
        with pytest.raises(settings.SettingError, match=r"WORKSHOP_WHEELS is .*; set it to a folder that python3 -m"):
            settings.wheels()
