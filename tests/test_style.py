"""The code keeps to the rules that pyproject.toml sets: style, format and types; links of the pages lead somewhere."""

import re
import subprocess
import sys

import pytest

from helpers.settings import ROOT

CHECKS = {
    "style": ["ruff", "check", "--no-cache", "."],
    "format": ["ruff", "format", "--no-cache", "--check", "."],
    "types": ["mypy", "--cache-dir=/dev/null"],
}
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "TEACHING.md",
    "CHANGELOG.md",
    "helpers/localaws/README.md",
    "deploy/README.md",
)


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS)
def test_the_code_keeps_to_its(command):
    checked = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", text) if not re.match(r"\w+:", target)]
    missing = [target for target in targets if not ((ROOT / page).parent / target).exists()]
    assert missing == []
