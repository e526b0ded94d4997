"""The cells of every notebook fit a projector: most of them are a few lines, and what only draws is folded away."""

from statistics import median, quantiles

import pytest

from helpers import lessons
from helpers.authoring.source import Source, unsolved

MOST_MEDIAN, MOST_P90 = 4, 10  # lines


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_code_cells_are_short(lesson):
    code = [cell for cell in Source(lesson).cells if cell.kind == "code" and not cell.is_folded]
    lines = [len(unsolved(cell.text).splitlines()) for cell in code]
    assert median(lines) <= MOST_MEDIAN
    assert quantiles(lines, n=10, method="inclusive")[-1] <= MOST_P90
