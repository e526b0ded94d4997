"""The clock against the plan: ahead, on time, behind, and when it ends."""

import pytest

from helpers.presenting.clock import pace

MINUTES = [2, 4, 3]


@pytest.mark.parametrize(
    ("at", "elapsed", "ahead"),
    [
        (0, 0, 0),
        (0, 120, 0),
        (0, 121, -1),
        (1, 60, 60),  # the first section took half of its time
        (1, 120, 0),
        (1, 360, 0),
        (1, 420, -60),
        (2, 30, 330),
        (2, 540, 0),
        (2, 1000, -460),
    ],
)
def test_a_section_may_use_its_time_before_it_is_behind(at, elapsed, ahead):
    assert pace(MINUTES, at, elapsed, 0).ahead == ahead


def test_the_end_is_the_rest_of_the_section_and_the_sections_after_it():
    assert pace(MINUTES, 0, 30, 30).left == 90 + 7 * 60
    assert pace(MINUTES, 1, 999, 999).left == 3 * 60, "a section that takes longer takes nothing from the next"
    assert pace(MINUTES, 2, 540, 180).left == 0


def test_it_tells_what_has_passed_of_the_whole_and_of_the_section():
    told = pace(MINUTES, 1, 200, 80)
    assert (told.elapsed, told.planned, told.spent) == (200, 540, 80)
