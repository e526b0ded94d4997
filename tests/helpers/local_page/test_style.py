"""The look that pages share: each colour of a text has enough contrast, in light and in dark; each page takes it."""

import re

import pytest
from contrast import DARK, ENOUGH, LIGHT, contrast

from helpers import settings
from helpers.local_page import style

PAIRS = [
    ("ink", "paper"),
    ("ink", "soft"),
    ("muted", "paper"),
    ("muted", "soft"),
    ("accent", "paper"),
    ("accent", "soft"),
    ("on-accent", "accent"),
    ("danger", "paper"),
    ("danger", "soft"),
    ("paper", "danger"),
    ("good", "paper"),
    ("good", "soft"),
]
SHEETS = [
    "helpers/classroom/instructor/static/class.css",
    "helpers/console/static/console.css",
    "helpers/presenting/static/presenter.css",
    "helpers/review/review.css",
]


@pytest.mark.parametrize("pair", PAIRS, ids="-on-".join)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_what_is_written_can_be_read(colours, pair):
    text, ground = pair
    assert contrast(colours[text], colours[ground]) >= ENOUGH


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_page_uses_colours_that_there_are_and_says_none_of_them_again(sheet):
    own = (settings.ROOT / sheet).read_text(encoding="utf-8")
    named = set(re.findall(r"(--[\w-]+):", own))
    shared = set(re.findall(r"(--[\w-]+):", style.FILE.read_text(encoding="utf-8")))
    assert not named & shared
    assert set(re.findall(r"var\((--[\w-]+)\)", own)) <= named | shared
