"""What is written can be read: each colour has a contrast of 4.5:1, in light and in dark (WCAG 2.2, 1.4.3)."""

import re
from pathlib import Path

import pytest
from pygments.styles import get_style_by_name

from helpers import console, highlight

ENOUGH = 4.5
SHEET = (Path(console.__file__).with_name("static") / "console.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
    for part in SHEET.split("@media (prefers-color-scheme: dark)", 1)
)
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
]


def contrast(one: str, other: str) -> float:
    """By https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("pair", PAIRS, ids="-on-".join)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_colours_of_a_page(colours, pair):
    text, ground = pair
    assert contrast(colours[text], colours[ground]) >= ENOUGH


@pytest.mark.parametrize(
    ("style", "colours"), [(highlight.LIGHT, LIGHT), (highlight.DARK, DARK)], ids=["light", "dark"]
)
def test_the_colours_of_code(style, colours):
    faint = {
        str(token): round(contrast(f"#{told['color']}", colours["soft"]), 2)
        for token, told in get_style_by_name(style)
        if told["color"] and not told["bgcolor"]
    }
    assert {token: ratio for token, ratio in faint.items() if ratio < ENOUGH} == {}


def test_a_code_keeps_its_text_whatever_it_is():
    for text in ("<script>", "x = '</pre>'", "\x00&amp;", ""):
        marked = str(highlight.file_text("x.py", text))
        assert "<script>" not in marked and marked.count("</pre>") == 1
    assert "class=" in str(highlight.file_text("app.rb", "puts 1"))
    assert str(highlight.file_text("unknown.xyz123", "text"))
