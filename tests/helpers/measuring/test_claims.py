"""claim(), and what build does with claims that are not met."""

import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers import claim
from helpers.arguments import ArgumentError
from helpers.measuring import claims


@pytest.mark.parametrize("holds", [True, np.bool_(True), 3])
def test_a_claim_that_is_met_says_nothing(holds, capsys):
    claim("cold takes longer", holds)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("holds", [False, np.bool_(False), 0, None])
def test_one_that_is_not_met_says_what_was_not_measured(holds, capsys):
    claim("cold takes longer", holds)
    text = capsys.readouterr().out
    assert text.startswith("Not measured this time: cold takes longer. ") and text.count("\n") == 1
    cells = [new_code_cell("1"), new_code_cell("claim(…)", outputs=[new_output("stream", text=f"3 calls\n{text}")])]
    assert claims.unmet(new_notebook(cells=cells)) == ["cold takes longer"]


def test_a_claim_without_a_sentence_is_one_sentence():
    with pytest.raises(ArgumentError):
        claim(True, "cold takes longer")


@pytest.mark.parametrize("holds", [pd.DataFrame({"cold": [True]}), pd.Series([True, False]), np.array([True, False])])
def test_a_claim_about_many_values_is_one_sentence(holds):
    with pytest.raises(ArgumentError, match=r"^claim\(\) takes as holds one condition that is true or false, and not "):
        claim("cold takes longer", holds)
