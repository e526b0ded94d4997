"""What the tests in JupyterLab share: how a notebook in a real browser is seen, run, and waited for."""

import re
import socket
import subprocess
import time

LAB_LIMIT_S, RUN_LIMIT_S = 120, 600
COPIES = "work/notebooks"  # the reader's notebooks, below JupyterLab's root
START = f"{COPIES}/00-start-here.ipynb"


def cells(browser) -> list[dict]:
    return browser.execute_script("return window.jupyterapp.shell.currentWidget.model.toJSON().cells")


def path_shown(browser) -> str | None:
    return browser.execute_script("return window.jupyterapp?.shell?.currentWidget?.context?.path")


def kernel_is_idle(browser) -> bool:
    return browser.execute_script(
        "const widget = window.jupyterapp?.shell?.currentWidget;"
        "return widget?.context?.isReady && widget?.sessionContext?.session?.kernel?.status === 'idle';"
    )


def when_done(browser) -> dict | None:
    """The notebook, once no cell waits any more."""
    is_done = browser.execute_script(
        "const cells = window.jupyterapp.shell.currentWidget.content.widgets;"
        "const waits = cell =>"
        " cell.promptNode?.textContent?.includes('*') || cell.model.executionState === 'running';"
        "return cells.findLast(cell => cell.model.type === 'code').model.executionCount && !cells.some(waits);"
    )
    return {"cells": cells(browser)} if is_done else None


def errors(cell: dict) -> list[str]:
    outputs = cell.get("outputs", [])
    return [f"{each['ename']}: {each['evalue']}" for each in outputs if each["output_type"] == "error"]


def has_picture(cell: dict) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def text(cell: dict) -> str:
    texts = [output["data"]["text/plain"] for output in cell["outputs"] if "data" in output]
    return "".join("".join(text) for text in texts)


def address(said: list[str], process: subprocess.Popen) -> str | None:
    assert process.poll() is None, "".join(said)
    found = re.search(r"http://127\.0\.0\.1:(\d+)/lab\S*\?token=\w+", "".join(said))
    return found[0] if found and listens(int(found[1])) else None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(condition, seconds: float, explain):
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, explain()
        time.sleep(0.5)


def open_notebook(browser, lab: str, path: str, start: str = START) -> None:
    """Open a notebook, where `lab` is the address of the one that is opened at the start; wait for its kernel."""
    browser.get(lab.replace(start, path))
    eventually(lambda: path_shown(browser) == path, LAB_LIMIT_S, lambda: browser.title)
    eventually(lambda: kernel_is_idle(browser), LAB_LIMIT_S, lambda: browser.title)


def save(browser) -> None:
    """Save the open notebook, changed or not, as the menu does."""
    saved = "window.jupyterapp.shell.currentWidget.context"
    browser.execute_async_script(f"{saved}.model.dirty = true; {saved}.save().then(arguments[0], arguments[0])")
