"""The code keeps to the rules that pyproject.toml sets."""

import subprocess
import sys

from helpers.settings import ROOT


def test_ruff_finds_nothing():
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout
