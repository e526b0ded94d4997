"""The reader's copies in JupyterLab: all that they lead to is found, git stays clean, and a session is recorded."""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlparse

import pytest
from lab_in_a_browser import COPIES, RUN_LIMIT_S, START, cells, eventually, open_notebook, save

from helpers import lessons
from helpers.settings import ROOT

LAB_09 = "09-slack.ipynb"
PICTURES = """
const inside = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
return [...inside.querySelectorAll('.jp-RenderedMarkdown img')].map((each) => [each.complete, each.naturalWidth]);
"""
LINKS = """
const inside = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden)');
return [...inside.querySelectorAll('.jp-RenderedMarkdown a')].map((each) => each.getAttribute('data-commandlinker-args')
  || each.href);
"""


def fetched(browser, address: str) -> int:
    """The status of an address, as JupyterLab would ask for it."""
    return browser.execute_async_script("fetch(arguments[0]).then((each) => arguments[1](each.status))", address)


def git_status(checkout: Path) -> str:
    command = ["git", "status", "--short"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout


def run(browser, text: str) -> list[dict]:
    """Add a cell with this text at the end of the notebook, run it, and give its outputs."""
    browser.execute_script(
        "const notebook = window.jupyterapp.shell.currentWidget.content;"
        "notebook.activeCellIndex = notebook.widgets.length - 1;"
        "window.jupyterapp.commands.execute('notebook:insert-cell-below').then(() => {"
        "  notebook.activeCell.model.sharedModel.setSource(arguments[0]);"
        "  window.jupyterapp.commands.execute('notebook:run-cell'); });",
        text,
    )

    def done():
        cell = cells(browser)[-1]
        source = "".join(cell["source"])
        return cell if source == text and cell.get("execution_count") and cell["outputs"] else None

    return eventually(done, RUN_LIMIT_S, lambda: json.dumps(cells(browser)[-1]))["outputs"]


@pytest.mark.parametrize("where", ["in the checkout", "elsewhere"])
def test_pictures_links_and_code_are_found_from_a_copy(where, browser, request):
    if where == "elsewhere":
        lab, home = request.getfixturevalue("lab_elsewhere")
        folder = "notebooks"
    else:
        lab, home = request.getfixturevalue("lab"), request.getfixturevalue("checkout") / "work"
        folder = COPIES
    open_notebook(browser, lab, f"{folder}/{LAB_09}", start=START.replace(COPIES, folder))
    shown = lambda: browser.execute_script(PICTURES)  # noqa: E731
    eventually(lambda: shown() and all(complete and width for complete, width in shown()), 60, shown)
    [output] = run(browser, "import helpers; start_at = helpers.start_at('09'); print(start_at)")
    assert "".join(output["text"]).strip().endswith(str(home / "labs" / "09"))
    api = urlparse(lab)._replace(path="/api/contents/", query="").geturl()
    linked = (LAB_09, "solutions/09-slack.ipynb", "10-what-fits.ipynb", "../labs/09/python/app.py")
    for path in (*linked, "lessons/09-slack/functions/slack/python/app.py", "images/databases.png"):
        plain = str(Path("/", folder, path)).replace("/notebooks/..", "")
        assert fetched(browser, f"{api}{plain.lstrip('/')}?content=0") == 200, path


def test_the_file_list_begins_with_the_readers_notebooks(browser, lab, tmp_path):
    open_notebook(browser, lab, START)
    browser.execute_script("window.jupyterapp.commands.execute('filebrowser:activate')")
    listed = "return [...document.querySelectorAll('.jp-DirListing-itemName')].map((each) => each.textContent)"
    eventually(
        lambda: "04-cold-start.ipynb" in browser.execute_script(listed), 60, lambda: browser.execute_script(listed)
    )
    browser.save_screenshot(str(tmp_path / "files.png"))
    assert ".made-of" not in browser.execute_script(listed)
    browser.execute_script("window.jupyterapp.commands.execute('filebrowser:hide-main')")


def test_a_session_is_recorded_with_its_sections(browser, lab, checkout):
    lesson = lessons.lesson("04")
    open_notebook(browser, lab, f"{COPIES}/{lesson.stem}.ipynb")
    browser.execute_script(
        "const notebook = window.jupyterapp.shell.currentWidget.content;"
        "notebook.activeCellIndex = notebook.widgets.findIndex((each) => each.model.type === 'code');"
        "window.jupyterapp.commands.execute('notebook:run-cell');"
    )
    run(browser, "from helpers import hint, predict; predict('04.a', 7); hint('04.1')")
    lines = [json.loads(line) for line in (checkout / "work" / "record.jsonl").read_text().splitlines()]
    of_04 = [line for line in lines if line["notebook"] == "04"]
    assert [line["kind"] for line in of_04] == ["section", "prediction", "hint"]
    assert of_04[0]["section"] == ""
    assert of_04[0]["cell"] in {cell["id"] for cell in json.loads(lesson.starter_path.read_text())["cells"]}


@pytest.mark.parametrize("path", ["notebooks/01-what-is-lambda.ipynb", f"{COPIES}/solutions/01-what-is-lambda.ipynb"])
def test_what_is_the_workshops_can_be_run_and_is_not_changed(browser, lab, checkout, path):
    open_notebook(browser, lab, path)
    run(browser, "print('mine')")
    browser.execute_script("window.jupyterapp.commands.execute('docmanager:save')")
    says = "return [...document.querySelectorAll('.jp-Dialog-header')].map((each) => each.textContent)"
    eventually(lambda: browser.execute_script(says), 60, lambda: "no word about it")
    browser.execute_script("document.querySelectorAll('.jp-Dialog button').forEach((each) => each.click())")
    relative = path.replace(COPIES, "notebooks")
    assert (checkout / relative).read_bytes() == (ROOT / relative).read_bytes()


def test_git_stays_clean_whatever_was_done(browser, lab, checkout):
    open_notebook(browser, lab, f"{COPIES}/01-what-is-lambda.ipynb")
    run(browser, "print('mine')")
    save(browser)
    assert "mine" in (checkout / COPIES / "01-what-is-lambda.ipynb").read_text()
    assert git_status(checkout) == ""
