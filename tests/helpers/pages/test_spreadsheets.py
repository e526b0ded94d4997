"""No cell of a CSV file is a formula, and a number stays a number."""

import pytest

from helpers.pages.spreadsheets import no_formula


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "--1", "-1\n=2", "-٣"])
def test_what_may_be_a_formula_is_a_text(text):
    assert no_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "1", "1.5", "-1", "-12.5", "-1e-05", "04.2 solved", "a=b", "'=1"])
def test_everything_else_stays(text):
    assert no_formula(text) == text
