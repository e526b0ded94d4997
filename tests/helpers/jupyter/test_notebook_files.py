"""What is saved of a widget, which ends with its kernel: what is beside it, or itself where nothing is."""

from types import SimpleNamespace

import pytest

from helpers import settings
from helpers.jupyter.notebook_files import WIDGET, before_saving

HTML, PNG, TEXT = "text/html", "image/png", "text/plain"


@pytest.mark.parametrize(
    "beside, stays",
    [
        ({TEXT: "You predict: 12"}, False),
        ({TEXT: ["You predict:\n", "12"]}, False),
        ({TEXT: "HBox(children=(Text(value='12'),))", PNG: "iVBOR"}, False),
        ({TEXT: "3 messages", HTML: "<table></table>"}, False),
        ({TEXT: "HBox(children=(Text(value='12'),))"}, True),
        ({TEXT: ""}, True),
        ({}, True),
    ],
)
def test_a_widget_is_saved_as_what_is_beside_it(beside, stays):
    output = {"output_type": "display_data", "data": {WIDGET: {"model_id": "1"}, **beside}}
    content = {"metadata": {}, "cells": [{"cell_type": "code", "outputs": [output]}]}
    manager = SimpleNamespace(root_dir=str(settings.NOTEBOOKS.parent))
    before_saving({"type": "notebook", "content": content}, "notebooks/01-what-is-lambda.ipynb", manager)
    assert output["data"] == beside | ({WIDGET: {"model_id": "1"}} if stays else {})
