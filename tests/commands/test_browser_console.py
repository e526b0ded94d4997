"""The console as its command serves it, in a real browser: a lab from nothing to its check, loss, and a hub."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import headless_chromium
import pytest
from console_hand import LIMIT_S, Hand
from localaws_client import THIS_PYTHON, eventually
from prefix_proxy import proxied

from helpers import localaws
from helpers.exercises import check
from helpers.exercises.lab import labs
from helpers.settings import ROOT


@pytest.fixture(scope="module")
def console(aws_of_module, embedded_home, free_port) -> Iterator[str]:
    """The address that `console --no-browser` prints; Ctrl-C ends it."""
    port = localaws.running(embedded_home).port
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WORKSHOP_"))}
    learner = aws_of_module.tags["learner"]
    variables = kept | {"WORKSHOP_HOME": str(embedded_home), "WORKSHOP_PORT": str(port), "WORKSHOP_LEARNER": learner}
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "console", "--no-browser", "--port", str(free_port())],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    threading.Thread(target=lambda: said.extend(process.stdout), daemon=True).start()
    yield eventually(lambda: next(iter(re.findall(r"http://127\.0\.0\.1:\d+/enter\S+", "".join(said))), ""), LIMIT_S)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130
    assert "Traceback" not in errors and "console has ended" in errors


@pytest.fixture(scope="module")
def driver(needs, console, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1024,576")  # 1280x720 at 125 %
    driver.set_page_load_timeout(LIMIT_S)
    driver.get(console)
    eventually(lambda: "Functions" in driver.title)
    yield driver
    said = [each["message"] for each in driver.get_log("browser") if each["level"] == "SEVERE"]
    driver.quit()
    assert [each for each in said if "Content Security Policy" in each or "Error" in each] == []


@pytest.fixture
def hand(driver, console) -> Hand:
    driver.get(console.partition("/enter")[0] + "/")
    return Hand(driver)


def test_axe_finds_nothing_on_any_screen(hand, axe):
    found = {"list": axe.problems(hand.driver)}
    hand.click("Create function")
    found["Create function"] = axe.problems(hand.driver)
    hand.choose("Runtime", THIS_PYTHON)
    hand.click("Begin with this runtime")
    hand.type("Name", "for-axe")
    hand.click("Create function")
    for tab in (
        "Code",
        "Test",
        "Configuration",
        "Triggers",
        "Versions and aliases",
        "Monitoring",
        "Logs",
        "Inbox",
        "Live",
    ):
        hand.tab(tab)
        found[tab] = axe.problems(hand.driver)
    assert {screen: problems for screen, problems in found.items() if problems} == {}


def test_lab_09_from_nothing_to_a_solved_check(hand, aws_of_module, embedded_home, capsys):
    source = labs()["09"].answer("python").read_text(encoding="utf-8")
    hand.begin("slack")
    hand.paste("Text", source)
    hand.click("Create function")
    hand.tab("Configuration")
    hand.type("Name of the variable", "WEBHOOK_URL")
    hand.click("The webhook of the inbox, which takes Slack's place")
    hand.click("Set the variable")
    assert "WEBHOOK_URL" in hand.text and "/services/" not in hand.text
    hand.tab("Test")
    hand.paste("Event (JSON)", '{"text": "by the console"}')
    hand.click("Test")
    assert '"posted": "by the console"' in hand.text
    hand.tab("Inbox")
    assert "by the console" in hand.text
    check("09")
    assert "Exercise 09, Slack message: solved." in capsys.readouterr().out


def test_a_page_says_that_the_console_has_gone_and_comes_back(driver, aws_of_module, free_port):
    from helpers.console import page, server

    port, connection = free_port(), page.Connection(aws_of_module)
    with server.serving(connection, port) as address:
        driver.get(address)
        eventually(lambda: "Functions" in driver.title)
    lost = driver.find_element("id", "lost")
    eventually(lambda: lost.is_displayed() and "python3 -m helpers console" in lost.text, LIMIT_S)
    with server.serving(connection, port):
        eventually(lambda: not lost.is_displayed(), LIMIT_S)
        driver.refresh()
        assert "Functions" in driver.title, "its cookie is still good"


def test_behind_a_proxy_with_a_prefix(driver, aws_of_module, free_port):
    """As on a JupyterHub: pages, forms, their answers, styles, scripts and the WebSocket are all below the prefix."""
    from helpers.console import page, server

    port = free_port()
    with server.serving(page.Connection(aws_of_module), port) as address, proxied(port, "/user/ada/proxy/1") as base:
        driver.get(base + address.partition(f":{port}")[2])
        eventually(lambda: "Functions" in driver.title)
        hand = Hand(driver)
        hand.begin("proxied")
        hand.click("Create function")
        assert f"The function {aws_of_module.name('proxied')} was created." in hand.text
        assert driver.current_url.startswith(f"{base}/functions/")
        hand.tab("Live")
        eventually(lambda: re.search(r"No environment|\d environments? of", hand.text), LIMIT_S)  # of other tests, too
        [cookie] = [each for each in driver.get_cookies() if each["name"] == f"console-{port}"]
        assert cookie["path"] == "/user/ada/proxy/1", "other servers of the hub do not get it"
