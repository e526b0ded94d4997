"""watch(): what a notebook shows and what it is saved with, without any browser."""

import json
import os
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import nbformat
import pytest
from localaws_client import eventually
from meeting import MEETS, together

from helpers import settings, watch
from helpers.arguments import ArgumentError
from helpers.authoring import outputs
from helpers.authoring.execution import execute
from helpers.jupyter.notebook_files import METADATA, WIDGET, before_saving
from helpers.watch.widget import Picture

SVG, TEXT = "image/svg+xml", "text/plain"
SET_UP = """
import json
from concurrent.futures import ThreadPoolExecutor
from helpers import connect, deploy, watch
workshop = connect()
name = workshop.name("watched")
app = "import time\\ndef handler(event, context):\\n    time.sleep(event['s'])\\n    return 1 / event.get('by', 1)"
deploy(workshop, name, {"app.py": app}, Handler="app.handler", Timeout=60)
def call(s=0, **more):
    _ = workshop.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"s": s, **more}))
"""
CELLS = {
    "set up": SET_UP,
    "a block": "with watch(workshop, name) as seen:\n    with ThreadPoolExecutor() as threads:\n"
    "        _ = list(threads.map(call, [1, 1, 1]))\n    call()\n    call(by=0)",
    "said": "seen.sentence",
    "live": "live = watch(workshop, name)\nlive",
    "meanwhile": "call()",
    "shown twice": "from helpers.arguments import ArgumentError\n"
    "try:\n    live._ipython_display_()\nexcept ArgumentError as error:\n    print(error)",
    "ended": "live.still()",
    "an error": "try:\n    with watch(workshop, name):\n        call()\n        raise KeyError('mine')\n"
    "except KeyError as error:\n    print(error)",
}


@pytest.fixture(scope="module")
def saved(embedded_aws, embedded_home, tmp_path_factory) -> dict:
    """The outputs of the cells, by their names, as they are when all have run."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS.values()])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    ours = {"WORKSHOP_HOME": str(embedded_home), "WORKSHOP_PORT": str(embedded_aws.port), "WORKSHOP_LEARNER": "seen"}
    assert execute(notebook, tmp_path_factory.mktemp("notebook"), kept | ours) == []
    outputs.normalise(
        notebook, datetime.now(UTC).replace(tzinfo=None), embedded_aws.port, outputs.places(embedded_home)
    )
    return dict(zip(CELLS, [cell.outputs for cell in notebook.cells], strict=True))


def test_a_block_leaves_a_still_picture_of_what_happened_in_it(saved):
    [output] = saved["a block"]
    wanted = "3 environments of seen-watched: 3 idle; 3 cold starts, 5 invocations, 1 failed."
    assert output.data[TEXT] == wanted
    assert set(output.data) == {SVG, TEXT}
    assert output.metadata == {SVG: {"alt": wanted}}
    assert wanted in output.data[SVG]
    assert saved["said"][0].data[TEXT] == repr(wanted)


def test_a_live_picture_is_saved_as_a_still_one_too(saved):
    [output] = saved["live"]
    assert output.data[TEXT] == "3 environments of seen-watched: 3 idle; 0 cold starts, 1 invocation, none failed."
    assert set(output.data) == {SVG, TEXT}
    assert [saved[each] for each in ("meanwhile", "ended")] == [[], []]


def test_one_is_shown_in_one_place(saved):
    [output] = saved["shown twice"]
    assert output.text == "This picture is shown already; call watch() once more for another one.\n"


def test_an_error_in_the_block_is_the_readers(saved):
    picture, printed = saved["an error"]
    assert "1 invocation, none failed" in picture.data[TEXT]
    assert printed.text == "'mine'\n"


def test_a_saved_notebook_has_no_secret(saved, embedded_aws):
    text = json.dumps(saved)
    assert embedded_aws.secret_access_key not in text
    assert embedded_aws.access_key_id not in text


@pytest.mark.parametrize("folder", [settings.NOTEBOOKS, settings.home() / "notebooks"])
def test_jupyterlab_saves_a_live_picture_as_a_still_one(folder):
    widget = {"model_id": "1"}
    live = {"output_type": "display_data", "data": {WIDGET: widget, SVG: "<svg/>", TEXT: "2 environments"}}
    control = {"output_type": "display_data", "data": {WIDGET: widget}}
    printed = {"output_type": "stream", "name": "stdout", "text": "hello"}
    cells = [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": [live, control, printed]}]
    model = {"type": "notebook", "content": {"cells": cells, "metadata": {}}}
    manager = SimpleNamespace(root_dir=str(folder.parent))
    before_saving(model, "notebooks/02-scaling.ipynb", contents_manager=manager)
    assert live["data"] == {SVG: "<svg/>", TEXT: "2 environments"}
    assert control["data"] == {WIDGET: widget}
    assert model["content"]["metadata"] == METADATA


def test_a_notebook_of_the_readers_own_is_saved_as_it_is(tmp_path):
    model = {"type": "notebook", "content": {"cells": [], "metadata": {"mine": 1}}}
    before_saving(model, "notebooks/mine.ipynb", contents_manager=SimpleNamespace(root_dir=str(tmp_path)))
    assert model["content"]["metadata"] == {"mine": 1}


def test_the_state_of_the_widget_is_the_page_alone(embedded_aws):
    state = Picture("environments", print).get_state()
    ours = {name for name in state if not name.startswith("_")} - {"layout", "tabbable", "tooltip"}
    assert ours == {"modules", "strings", "show"}
    assert "environments" in state["modules"]


def test_a_script_has_no_picture_but_its_sentence(aws, make_function):
    function = make_function("def handler(event, context):\n    return 1\n")
    with watch(aws, function.name) as seen:
        function.invoke({})
    assert seen.sentence == f"1 environment of {function.name}: 1 idle; 1 cold start, 1 invocation, none failed."
    assert repr(seen) == f"<Watch: {seen.sentence}>"
    eventually(lambda: not [each for each in threading.enumerate() if each.name.startswith("watch-")])


def test_an_arn_names_a_function_too(aws, make_function):
    function = make_function("def handler(event, context):\n    return 1\n")
    arn = aws.client("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
    with watch(aws, arn) as seen:
        function.invoke({})
    assert "1 invocation, none failed" in seen.sentence


def test_a_burst_is_seen_whole(aws, make_function):
    function = make_function(MEETS, Timeout=300)
    with watch(aws, function.name) as seen:
        together([function.invoke] * 12)
    assert seen.sentence == f"12 environments of {function.name}: 12 idle; 12 cold starts, 12 invocations, none failed."


@pytest.mark.parametrize("name", ["", "two words", 3, None])
def test_what_is_no_function_is_refused(aws, name):
    with pytest.raises(ArgumentError, match="takes as functions the name of a function"):
        watch(aws, name)


def test_what_is_no_part_is_refused(aws):
    with pytest.raises(ArgumentError, match="one of 'environments', 'system'"):
        watch(aws, show="everything")
