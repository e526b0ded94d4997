"""A reader's way: `lab`, JupyterLab in a real browser, all of notebook 04 run, and its plots seen."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from helpers import lessons
from helpers.settings import ROOT

START, NOTEBOOK = "notebooks/00-start-here.ipynb", "notebooks/04-cold-start.ipynb"
PLOTS, EXERCISES = 4, len(lessons.lesson("04").exercises)
LAB_LIMIT_S, RUN_LIMIT_S = 120, 600


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of what git would clone: JupyterLab saves the notebook that it runs."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("helpers", "notebooks", "events", "pyproject.toml", "requirements.lock"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def lab(checkout, tmp_path_factory, free_port) -> str:
    """The address that `lab --no-browser` prints, from a session of its own that ends with Ctrl-C."""
    home = tmp_path_factory.mktemp("home")
    config = tmp_path_factory.mktemp("jupyter")
    # lets the test see cells that are not on the screen; nothing else differs from a reader's JupyterLab
    (config / "jupyter_lab_config.json").write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))},
        "WORKSHOP_HOME": str(home),
        "WORKSHOP_PORT": str(free_port()),
        "WORKSHOP_LEARNER": "browser",
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_DATA_DIR": str(config / "data"),
        "JUPYTER_RUNTIME_DIR": str(config / "runtime"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "lab", "--no-browser"],
        cwd=checkout,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
    reader.start()
    try:
        yield _eventually(lambda: _address(said, process), LAB_LIMIT_S, lambda: "".join(said))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.returncode == 130
    assert not (home / "localaws.json").exists(), "the embedded AWS goes with JupyterLab"


@pytest.fixture(scope="module")
def browser(needs_browser, tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1400,1000",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def needs_browser(needs):
    needs("chromium")
    needs("chromedriver")


@pytest.fixture(scope="module")
def notebook(browser, lab) -> dict:
    """Notebook 04 as it stands in JupyterLab after "Run All Cells"."""
    browser.get(lab.replace("notebooks/00-start-here.ipynb", NOTEBOOK))
    _eventually(lambda: _path_shown(browser) == NOTEBOOK, LAB_LIMIT_S, lambda: browser.title)
    _eventually(lambda: _kernel_is_idle(browser), LAB_LIMIT_S, lambda: browser.title)
    browser.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return _eventually(lambda: _when_done(browser), RUN_LIMIT_S, lambda: json.dumps(_cells(browser))[-2000:])


def test_lab_opens_on_notebook_00(browser, lab, tmp_path):
    browser.get(lab)
    _eventually(lambda: _path_shown(browser) == "notebooks/00-start-here.ipynb", LAB_LIMIT_S, lambda: browser.title)
    _eventually(lambda: _kernel_is_idle(browser), LAB_LIMIT_S, lambda: browser.title)
    browser.save_screenshot(str(tmp_path / "start.png"))
    assert browser.find_elements("xpath", "//h1[contains(., 'Start here')]"), "the first cell is rendered"
    assert not browser.find_elements("css selector", ".jp-Dialog, .Toastify__toast"), "nothing asks the reader anything"
    files = browser.find_elements("css selector", ".jp-FileBrowser")
    assert not any(each.is_displayed() for each in files), "all room is the notebook's"


def test_a_notebook_that_was_opened_and_saved_is_the_same_file(browser, lab, checkout):
    browser.get(lab)
    _eventually(lambda: _kernel_is_idle(browser), LAB_LIMIT_S, lambda: browser.title)
    saved = "window.jupyterapp.shell.currentWidget.context"
    browser.execute_async_script(f"{saved}.model.dirty = true; {saved}.save().then(arguments[0])")
    assert (checkout / START).read_bytes() == (ROOT / START).read_bytes()


def test_run_all_reaches_the_end_of_04_although_no_exercise_is_solved(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    failed = [cell for cell in code if _errors(cell)]
    assert [cell["source"].startswith("# check") for cell in failed].count(True) == EXERCISES
    for cell in failed:
        [error] = [output for output in cell["outputs"] if output["output_type"] == "error"]
        assert cell["source"].startswith("# check") or "NotImplementedError" in cell["source"]
        assert len(error["traceback"]) == 1, "one sentence"


def test_its_plots_are_pictures_on_the_screen(browser, notebook, tmp_path):
    plotted = [number for number, cell in enumerate(notebook["cells"]) if _has_picture(cell)]
    assert len(plotted) == PLOTS
    for number in plotted:
        browser.execute_script(
            "window.jupyterapp.shell.currentWidget.content.activeCellIndex = arguments[0];"
            "window.jupyterapp.shell.currentWidget.content.scrollToItem(arguments[0], 'center');",
            number,
        )
        size = _eventually(lambda: browser.execute_script(VISIBLE_PICTURE), 30, lambda number=number: f"cell {number}")
        browser.save_screenshot(str(tmp_path / f"cell-{number}.png"))
        assert size["natural"] > 500, size
        assert size["shown"] <= size["room"], "the picture is cut off at the right"


def test_the_plot_says_what_cloudwatch_recorded(notebook):
    """The table under the strip plot counts ten cold and twenty warm REPORT lines."""
    tables = [_text(cell) for cell in notebook["cells"] if "describe" in cell["source"]]
    assert re.search(r"cold\s+10\s", tables[0]), tables
    assert re.search(r"warm\s+20\s", tables[0]), tables


VISIBLE_PICTURE = """
const inside = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
for (const picture of inside.querySelectorAll('.jp-mod-active .jp-OutputArea-output img')) {
  const place = picture.getBoundingClientRect();
  if (picture.complete && place.bottom > 0 && place.top < window.innerHeight)
    return {natural: picture.naturalWidth, shown: place.right, room: inside.getBoundingClientRect().right};
}
"""


def _cells(browser) -> list[dict]:
    return browser.execute_script("return window.jupyterapp.shell.currentWidget.model.toJSON().cells")


def _path_shown(browser) -> str | None:
    return browser.execute_script("return window.jupyterapp?.shell?.currentWidget?.context?.path")


def _kernel_is_idle(browser) -> bool:
    return browser.execute_script(
        "const widget = window.jupyterapp?.shell?.currentWidget;"
        "return widget?.context?.isReady && widget?.sessionContext?.session?.kernel?.status === 'idle';"
    )


def _when_done(browser) -> dict | None:
    """The notebook, once no cell waits any more."""
    is_done = browser.execute_script(
        "const cells = window.jupyterapp.shell.currentWidget.content.widgets;"
        "const waits = cell =>"
        " cell.promptNode?.textContent?.includes('*') || cell.model.executionState === 'running';"
        "return cells.findLast(cell => cell.model.type === 'code').model.executionCount && !cells.some(waits);"
    )
    return {"cells": _cells(browser)} if is_done else None


def _errors(cell: dict) -> list[str]:
    outputs = cell.get("outputs", [])
    return [f"{each['ename']}: {each['evalue']}" for each in outputs if each["output_type"] == "error"]


def _has_picture(cell: dict) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def _text(cell: dict) -> str:
    texts = [output["data"]["text/plain"] for output in cell["outputs"] if "data" in output]
    return "".join("".join(text) for text in texts)


def _address(said: list[str], process: subprocess.Popen) -> str | None:
    assert process.poll() is None, "".join(said)
    found = re.search(r"http://127\.0\.0\.1:(\d+)/lab\S*\?token=\w+", "".join(said))
    return found[0] if found and _listens(int(found[1])) else None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _eventually(condition, seconds: float, explain):
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, explain()
        time.sleep(0.5)
