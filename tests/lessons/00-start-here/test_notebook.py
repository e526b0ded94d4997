"""Notebook 00: its routes through the workshop are possible in the time that they say."""

import re
from collections.abc import Iterator

import pytest

from helpers import lessons
from helpers.authoring import lint
from helpers.authoring.source import Cell, Source, is_exercise

PROSE = "\n".join(cell.text for cell in Source(lessons.lesson("00")).cells if cell.kind == "markdown")
STOPS = [row.groups() for row in re.finditer(r"^\| (\d\d) \| (\d+) \| ([^|]+) \| ([^|]*)\|$", PROSE, re.MULTILINE)]
DAY = re.search(r"\*\*One day\*\*, about (\w+) hours: (.+)\.", PROSE)
HOURS = {"five": 5, "six": 6, "seven": 7}


def up_to(number: str, heading: str) -> Iterator[Cell]:
    """The cells of a notebook up to the end of a section."""
    inside = False
    for cell in Source(lessons.lesson(number)).cells:
        if cell.kind == "code":
            yield cell
            continue
        sections = re.split(r"^(?=## )", cell.text, flags=re.MULTILINE)
        for section in sections:
            if section.startswith("## ") and inside:
                return
            inside = inside or section.startswith(f"## {heading}\n")
            yield cell._replace(text=section)
    assert inside, f"notebook {number} has no section {heading}"


def test_the_evening_takes_90_minutes():
    assert sum(int(minutes) for _, minutes, _, _ in STOPS) <= 90
    assert {"01", "04", "09"} <= {number for number, *_ in STOPS}


@pytest.mark.parametrize(("number", "minutes", "heading", "left_out"), STOPS, ids=[number for number, *_ in STOPS])
def test_a_stop_of_the_evening_takes_as_long_as_it_says(number, minutes, heading, left_out):
    lesson, cells = lessons.lesson(number), list(up_to(number, heading))
    if "exercise" in left_out:
        cells = [cell for cell in cells if cell.kind == "markdown" or not is_exercise(cell.text)]
    counted = lint.minutes_of(cells, lesson)
    assert abs(int(minutes) - counted) <= max(counted / 3, 5)


def test_the_day_takes_as_many_hours_as_it_says():
    said, numbers = DAY.groups()
    whole = [number for number in re.findall(r"\d\d", numbers) if number != "11"]
    minutes = sum(lessons.lesson(number).minutes for number in whole)
    minutes += lint.minutes_of(list(up_to("11", "A pause")), lessons.lesson("11"))
    assert 0.85 <= minutes / 60 / HOURS[said] <= 1.05
