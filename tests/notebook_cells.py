"""What tests of the notebooks share: cells as the author wrote them, and what a check says to a wrong answer."""

import pytest

from helpers import checks, notebooks, progress, settings
from helpers.notebooks import source


def code(number: str) -> list[str]:
    """The code cells of a notebook, such as "04"."""
    [made_of] = [each for each in notebooks.sources(settings.NOTEBOOKS) if each.name.startswith(number)]
    return [text for kind, text in made_of.cells if kind == "code"]


def exercises(number: str) -> list[str]:
    """Those that hold an exercise."""
    return [text for text in code(number) if source.SOLUTION.search(text)]


def refused(*arguments) -> str:
    """Give check() a wrong answer, and return what it says."""
    with pytest.raises(checks.NotSolved) as caught:
        checks.check(*arguments)
    assert progress.solved() == set()
    return str(caught.value)
