"""watch() in JupyterLab: live while a cell runs, by keyboard, in both themes, and saved as a still picture."""

import json

import nbformat
import pytest
from lab_in_a_browser import COPIES, RUN_LIMIT_S, cells, errors, eventually, open_notebook, save, when_done

from helpers.jupyter.notebook_files import METADATA

NOTEBOOK = f"{COPIES}/watched.ipynb"
SET_UP = """
import json, threading
from concurrent.futures import ThreadPoolExecutor
from helpers import connect, deploy, watch
workshop = connect()
name = workshop.name("watched")
app = "import time\\ndef handler(event, context):\\n    print('hello from ' + context.function_name)\\n    time.sleep(event['s'])\\n"
deploy(workshop, name, {"app.py": app}, Handler="app.handler", Timeout=60)
def call(s=0):
    _ = workshop.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"s": s}))
"""  # noqa: E501
CELLS = (
    SET_UP,
    "with watch(workshop, name), ThreadPoolExecutor() as threads:\n    _ = list(threads.map(call, [20, 20, 20]))",
    "seen = watch(workshop, name)\nseen",
    "call()",
)
TEXTS = """
return [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .watch ' + arguments[0])]
  .map((each) => each.textContent)
"""

DRAWN = """
const canvas = document.querySelector('.watch .watch-strips');
return canvas.width && canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
"""


@pytest.fixture(scope="module")
def opened(browser, lab, checkout):
    """A notebook with these cells in JupyterLab, of which none has run."""
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)], metadata=METADATA)
    nbformat.write(notebook, checkout / NOTEBOOK)
    open_notebook(browser, lab, NOTEBOOK)
    return browser


@pytest.fixture(scope="module")
def live(opened):
    """The same, when all have run: what was seen of the first picture while its cell ran, and of a log in it."""
    opened.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    seen = eventually(lambda: _busy(opened), RUN_LIMIT_S, lambda: json.dumps(cells(opened))[-2000:])
    opened.execute_script("document.querySelector('.watch .watch-tile').click()")
    seen["log"] = eventually(
        lambda: opened.execute_script(TEXTS, ".watch-lines div:nth-child(3)"), 60, lambda: _whole(opened)
    )
    eventually(lambda: when_done(opened), RUN_LIMIT_S, lambda: json.dumps(cells(opened))[-2000:])
    assert [errors(cell) for cell in cells(opened)] == [[]] * len(CELLS)
    return seen


def test_environments_are_seen_at_work_while_the_cell_runs(live):
    assert live["words"] == ["busy"] * 3
    assert live["summary"] == "3 environments of browser-watched: 3 busy; 3 cold starts, 0 invocations."


def test_the_log_of_one_is_read_while_the_cell_runs(live):
    """It is in a picture that is gone once the cell is done."""
    assert [each[12:] for each in live["log"]] == ["hello from browser-watched"]


def test_when_the_cell_is_done_a_still_picture_takes_its_place(opened, live):
    [output] = cells(opened)[1]["outputs"]
    assert set(output["data"]) == {"image/svg+xml", "text/plain"}
    said = "".join(output["data"]["text/plain"])
    assert said == "3 environments of browser-watched: 3 idle; 3 cold starts, 3 invocations, none failed."
    shown = "return [...document.querySelectorAll('.jp-RenderedSVG img, .jp-RenderedSVG svg')].length"
    assert eventually(lambda: opened.execute_script(shown), 30, lambda: "no picture")


def test_one_at_the_end_of_a_cell_goes_on_while_others_run(opened, live):
    wanted = "3 environments of browser-watched: 3 idle; 0 cold starts, 1 invocation, none failed."
    eventually(lambda: opened.execute_script(TEXTS, ".watch-summary") == [wanted], 30, lambda: _whole(opened))


def test_the_log_of_one_is_opened_by_keyboard_and_jupyterlab_leaves_the_keys_alone(opened, live):
    before = len(cells(opened))
    opened.execute_script("document.querySelector('.watch .watch-tile').focus()")
    opened.switch_to.active_element.send_keys("\ue014")  # to the right
    opened.switch_to.active_element.send_keys("\ue007")
    eventually(
        lambda: any("hello from browser-watched" in each for each in opened.execute_script(TEXTS, ".watch-lines div")),
        60,
        lambda: _whole(opened),
    )
    [name] = opened.execute_script(TEXTS, ".watch-log-name bdi")
    assert name == "Log stream of environment 2 of browser-watched"
    opened.switch_to.active_element.send_keys("b")  # with which JupyterLab would insert a cell
    assert len(cells(opened)) == before


@pytest.mark.parametrize("theme, paper", [("JupyterLab Dark", "dark"), ("JupyterLab Light", "light")])
def test_it_has_the_theme_of_jupyterlab(opened, live, theme, paper, tmp_path):
    opened.execute_script("window.jupyterapp.commands.execute('apputils:change-theme', {theme: arguments[0]})", theme)
    shown = "return document.querySelector('.watch').dataset.theme"
    eventually(lambda: opened.execute_script(shown) == paper, 60, lambda: _whole(opened))
    opened.save_screenshot(str(tmp_path / f"{paper}.png"))
    ink, ground = opened.execute_script(
        "const style = getComputedStyle(document.querySelector('.watch')); return [style.color, style.backgroundColor]"
    )
    eventually(lambda: opened.execute_script(DRAWN), 30, lambda: "no strip is drawn")
    assert (_lightness(ink) > _lightness(ground)) == (paper == "dark")


def test_it_is_saved_as_a_still_picture_and_nothing_of_it_is_secret(opened, live, checkout):
    save(opened)
    notebook = nbformat.read(checkout / NOTEBOOK, as_version=4)
    for cell in notebook.cells[1:3]:
        [output] = cell.outputs
        assert set(output.data) == {"image/svg+xml", "text/plain"}
        assert output.metadata["image/svg+xml"]["alt"] == output.data["text/plain"]
    assert "widgets" not in notebook.metadata


def test_a_kernel_that_has_gone_is_said(opened, live):
    """Last of all: the kernel is ended."""
    opened.execute_script("window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    eventually(
        lambda: any("Nobody answers here" in each for each in opened.execute_script(TEXTS, ".watch-notice")),
        60,
        lambda: _whole(opened),
    )


def _busy(browser) -> dict | None:
    """What the picture says, once all three environments are busy."""
    words = browser.execute_script(TEXTS, ".watch-word")
    summary = browser.execute_script(TEXTS, ".watch-summary")
    is_busy = words == ["busy"] * 3 and "3 busy" in summary[0]
    return {"words": words, "summary": summary[0]} if is_busy else None


def _whole(browser) -> str:
    return "\n".join(browser.execute_script(TEXTS, ""))


def _lightness(color: str) -> float:
    """Of "rgb(255, 255, 255)"."""
    return sum(float(part) for part in color.partition("(")[2].rstrip(")").split(",")[:3])


def test_a_solution_that_nobody_has_run_shows_its_still_pictures(browser, lab):
    open_notebook(browser, lab, f"{COPIES}/solutions/04-cold-start.ipynb")
    drawn = [n for n, cell in enumerate(cells(browser)) if "image/svg+xml" in json.dumps(cell.get("outputs", []))]
    assert drawn
    shown = """
    window.jupyterapp.shell.currentWidget.content.scrollToItem(arguments[0]);
    return document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedSVG').length;
    """
    eventually(lambda: browser.execute_script(shown, drawn[0]), 60, lambda: "no still picture is shown")
