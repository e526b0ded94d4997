"""One machine for a class: a real JupyterHub, and five learners who log in by a real browser and run notebook 00."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator

import headless_chromium
import psutil
import pytest
from hub_in_a_test import LIMIT_S, PASSWORD, Hub, install
from lab_in_a_browser import cells, errors, kernel_is_idle, path_shown, when_done
from localaws_client import clients_for, eventually, processes_of
from own_checkout import checkout
from selenium.common.exceptions import JavascriptException, WebDriverException

from helpers import localaws

pytestmark = pytest.mark.slow

USERS = ("ada", "grace-hopper", "grace.hopper", "grace_hopper", "a-learner-with-a-long-name@example.org")
START = "00-start-here.ipynb"
MINE = "print(json.dumps([each['FunctionName'] for each in lambda_client.list_functions()['Functions']]))"


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Iterator[Hub]:
    give_up = pytest.fail if os.environ.get("CI") else pytest.skip
    root = checkout(tmp_path_factory.mktemp("class") / "a checkout")
    try:
        python = install(root)
    except subprocess.CalledProcessError as error:
        give_up(f"JupyterHub cannot be installed here: {error.stderr[-2000:]}")
    hub = Hub(python, root, tmp_path_factory.mktemp("hub"))
    hub.start()
    try:
        yield hub
    finally:
        with contextlib.suppress(OSError):
            for user in USERS:
                hub.ask(f"users/{user}/server", "DELETE")
        hub.stop()
        for user in USERS:
            localaws.stop(hub.home(user))


@pytest.fixture(scope="module")
def browser(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1280,720")
    driver.set_page_load_timeout(LIMIT_S)
    yield driver
    driver.quit()


def log_in(browser, hub: Hub, user: str) -> None:
    browser.get(f"{hub.url}/hub/logout")
    browser.get(f"{hub.url}/hub/login")
    browser.find_element("name", "username").send_keys(user)
    browser.find_element("name", "password").send_keys(PASSWORD)
    browser.find_element("id", "login_submit").click()


def asked(condition, browser):
    """A condition of a page that may just be another one."""
    with contextlib.suppress(JavascriptException, WebDriverException):
        return condition(browser)


def land(browser, hub: Hub, user: str) -> None:
    """Wait until a learner who has logged in is in notebook 00.

    JupyterHub looks for a free port seconds before a server uses it. Where somebody else has it by then, the server
    ends, and the learner starts it again.
    """

    def is_there() -> bool:
        return (asked(path_shown, browser) or "").endswith(START)

    try:
        eventually(is_there, LIMIT_S)
    except AssertionError:
        if hub.servers()[user] != "off":
            raise
        browser.get(f"{hub.url}/hub/spawn")
        eventually(is_there, LIMIT_S)


@pytest.fixture(scope="module")
def opened(browser, hub) -> dict[str, dict]:
    """User -> notebook 00 as it stands in their JupyterLab after "Run All Cells", and the functions that they see.

    All five servers stay, each with its kernel and its embedded AWS.
    """
    notebooks = {}
    for user in USERS:
        log_in(browser, hub, user)
        land(browser, hub, user)
        address = browser.current_url
        eventually(lambda: asked(kernel_is_idle, browser), LIMIT_S)
        browser.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        eventually(lambda: asked(when_done, browser), LIMIT_S)
        browser.execute_async_script(
            "const [code, done] = arguments, commands = window.jupyterapp.commands;"
            "const panel = window.jupyterapp.shell.currentWidget;"
            "panel.content.activeCellIndex = panel.content.widgets.length - 1;"
            "commands.execute('notebook:insert-cell-below')"
            ".then(() => panel.content.activeCell.model.sharedModel.setSource(code))"
            ".then(() => commands.execute('notebook:run-cell')).then(done);",
            MINE,
        )
        code = [cell for cell in cells(browser) if cell["cell_type"] == "code"]
        seen = "".join(output.get("text", "") for cell in code if cell["source"] == MINE for output in cell["outputs"])
        notebooks[user] = {"cells": code, "functions": json.loads(seen), "address": address}
    return notebooks


def learner(hub: Hub, user: str) -> str:
    [name] = {variables["WORKSHOP_LEARNER"] for variables in variables_of(hub, user)}
    return name


def variables_of(hub: Hub, user: str) -> list[dict[str, str]]:
    """The environments of all processes of a user that have the settings of the workshop."""
    found = []
    for process in processes_of(hub.home(user)):
        with contextlib.suppress(psutil.NoSuchProcess):  # an environment of a function that has just ended
            variables = process.environ()
            found += [variables] if "WORKSHOP_LEARNER" in variables else []
    return found


def test_each_lands_in_notebook_00_and_its_cells_run(opened):
    for user, notebook in opened.items():
        assert re.search(r"/user/[^/]+/lab/tree/.*00-start-here\.ipynb", notebook["address"]), user
        assert [error for cell in notebook["cells"] for error in errors(cell)] == [], user
        said = [output.get("text", "") for cell in notebook["cells"] for output in cell["outputs"]]
        assert "python  Hello" in "".join(said), user  # a function was deployed, and has answered


def test_each_sees_their_own_functions_alone(opened, hub):
    names = {user: learner(hub, user) for user in USERS}
    assert len(set(names.values())) == len(USERS)
    for user, notebook in opened.items():
        assert f"{names[user]}-first-python" in notebook["functions"]
        assert all(each.startswith(f"{names[user]}-first-") for each in notebook["functions"])


def test_each_has_an_embedded_aws_of_their_own(opened, hub):
    endpoints = [localaws.running(hub.home(user)) for user in USERS]
    assert len({endpoint.port for endpoint in endpoints}) == len({endpoint.pid for endpoint in endpoints}) == len(USERS)
    assert len({endpoint.secret_access_key for endpoint in endpoints}) == len(USERS)
    for user, endpoint in zip(USERS, endpoints, strict=True):
        there = clients_for(endpoint)("lambda").list_functions()["Functions"]
        assert sorted(each["FunctionName"] for each in there) == sorted(opened[user]["functions"])
        assert {variables["WORKSHOP_PORT"] for variables in variables_of(hub, user)} == {str(endpoint.port)}


def test_what_they_make_is_in_their_own_folders_and_nothing_in_the_checkout(opened, hub):
    for user in USERS:
        assert (hub.home(user) / "ledger.jsonl").is_file()
        assert (hub.home(user) / localaws.STATE_FILE).stat().st_mode & 0o077 == 0


def test_the_console_opens_behind_the_hub(opened, hub, browser):
    user = USERS[-1]  # who is logged in
    port, host = localaws.free_port(), hub.url.removeprefix("http://")
    variables = next(each for each in variables_of(hub, user) if "JUPYTERHUB_USER" in each)
    console = subprocess.Popen(
        [hub.python, "-m", "helpers", "console", "--no-browser", "--port", str(port), "--allow-host", host],
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    threading.Thread(target=lambda: said.extend(console.stdout), daemon=True).start()
    try:
        printed = eventually(lambda: re.findall(rf"http://127\.0\.0\.1:{port}(/enter\S+)", "".join(said)), LIMIT_S)
        prefix = re.match(r".*/user/[^/]+/", opened[user]["address"])[0]
        browser.get(f"{prefix}proxy/{port}{printed[0]}")
        eventually(lambda: "Functions" in browser.title, LIMIT_S)
        assert f"{learner(hub, user)}-first-python" in browser.page_source
    finally:
        console.send_signal(signal.SIGINT)
        console.wait(LIMIT_S)


def test_a_restart_of_the_hub_ends_no_learners_server(opened, hub):
    before = {user: localaws.running(hub.home(user)).pid for user in USERS}
    hub.stop()
    assert {user: localaws.running(hub.home(user)).pid for user in USERS} == before
    hub.start()
    eventually(lambda: set(hub.servers().values()) == {"on"}, LIMIT_S)
    assert {user: localaws.running(hub.home(user)).pid for user in USERS} == before


def test_a_server_that_is_stopped_and_started_has_the_same_port(opened, hub):
    user = USERS[0]
    port = localaws.running(hub.home(user)).port
    hub.ask(f"users/{user}/server", "DELETE")
    eventually(lambda: hub.servers()[user] == "off", LIMIT_S)
    assert not processes_of(hub.home(user))
    hub.ask(f"users/{user}/server", "POST")
    eventually(lambda: hub.servers()[user] == "on", LIMIT_S)
    assert localaws.running(hub.home(user)).port == port


def test_the_servers_of_who_has_gone_end_and_leave_no_process(opened, hub, browser):
    browser.get("about:blank")
    hub.stop()
    hub.start(idle_s=2)
    eventually(lambda: set(hub.servers().values()) == {"off"}, LIMIT_S)
    for user in USERS:
        eventually(lambda user=user: not processes_of(hub.home(user)), LIMIT_S)
        assert not (hub.home(user) / localaws.STATE_FILE).exists()
        assert (hub.home(user) / "ledger.jsonl").is_file()
