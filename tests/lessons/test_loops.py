"""No loop waits for ever: each `while` of a notebook, of its checks and of helpers has a limit, or counts."""

import ast
import re

import pytest

from helpers import settings

LIMIT = re.compile(r"limit|deadline|until|timeout|_s\b|get_remaining_time_in_millis", re.IGNORECASE)
OTHERS = {  # what comes to an end without one
    "06-limits/notebook.py": {"written < event['mb']", "left"},  # pieces of a file; items of which each round does some
    "files/appended_file.py": {"rest"},  # the bytes of a line
    "inbox.py": {"True"},  # a thread that ends with the kernel
    "measuring/report_lines.py": {"number < len(self._lines)"},  # each round goes on by a line at least
    "installing/environment.py": {"child.poll() is None"},  # pip has limits of its own, and a bar shows how far it is
}
LESSONS, HELPERS = settings.NOTEBOOKS / "lessons", settings.ROOT / "helpers"
FOLDERS = ("", "deploying", "exercises", "files", "installing", "measuring", "resources", "session")
FILES = {
    **{str(path.relative_to(LESSONS)): path for path in sorted(LESSONS.rglob("*.py"))},
    **{str(path.relative_to(HELPERS)): path for folder in FOLDERS for path in sorted((HELPERS / folder).glob("*.py"))},
}


assert set(OTHERS) <= set(FILES)


def loops(code: str) -> list[ast.While]:
    return [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.While)]


def is_limited(loop: ast.While) -> bool:
    """Whether its condition, or one by which it is left, compares with a limit."""
    leaves = (ast.Raise, ast.Break, ast.Return)
    inside = [each for each in ast.walk(loop) if isinstance(each, ast.If)]
    asked = [loop.test, *(each.test for each in inside if any(isinstance(line, leaves) for line in each.body))]
    compared = [each for test in asked for each in ast.walk(test) if isinstance(each, ast.Compare)]
    return any(LIMIT.search(ast.unparse(each)) for each in compared)


@pytest.mark.parametrize("name", FILES)
def test_every_loop_has_an_end(name):
    found = loops(FILES[name].read_text(encoding="utf-8"))
    endless = {ast.unparse(loop.test) for loop in found if not is_limited(loop)}
    assert endless == OTHERS.get(name, set())


@pytest.mark.parametrize(
    ("code", "limited"),
    [
        ("while not written():\n    time.sleep(1)", False),
        ("while not written():\n    if time.monotonic() > limit:\n        print('late')", False),
        ("while not written():\n    if time.monotonic() > limit:\n        raise TimeoutError('late')", True),
        ("while True:\n    if written():\n        break", False),
        ("while not written() and time.monotonic() < deadline:\n    time.sleep(1)", True),
    ],
)
def test_a_loop_without_a_limit_is_seen(code, limited):
    (loop,) = loops(code)
    assert is_limited(loop) is limited
