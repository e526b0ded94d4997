"""Code that the console shows can be read: each colour has enough contrast, in light and in dark; it stays a text."""

import pytest
from contrast import DARK, ENOUGH, LIGHT, contrast
from pygments.styles import get_style_by_name

from helpers.pages import highlight


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
