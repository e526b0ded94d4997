"""The console in a real browser: the slides' screens by clicks and keys alone, and a lab from nothing to its check."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import headless_chromium
import pytest
from localaws_client import THIS_PYTHON, eventually
from prefix_proxy import proxied

from helpers import localaws
from helpers.exercises import check
from helpers.exercises.lab import labs
from helpers.settings import ROOT

LIMIT_S = 60


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


class Hand:
    """What a reader does at the console: clicks what has a name, and types into what has a label."""

    def __init__(self, driver) -> None:
        self.driver = driver

    def _find(self, xpath: str):
        return eventually(
            lambda: [each for each in self.driver.find_elements("xpath", xpath) if _is_displayed(each)], LIMIT_S
        )[0]

    def click(self, name: str) -> None:
        said = f"normalize-space()={_quoted(name)}"
        found = self._find(
            f"//main//*[(self::a or self::button or self::summary or self::label) and not(ancestor::nav) and {said}]"
        )
        self._and_wait(found.click, is_new=found.tag_name in ("a", "button"))

    def press(self, name: str) -> None:
        """The same by keyboard alone."""
        from selenium.webdriver.common.keys import Keys

        found = self._find(f"//main//button[normalize-space()={_quoted(name)}]")
        self.driver.execute_script("arguments[0].focus()", found)
        self._and_wait(lambda: self.driver.switch_to.active_element.send_keys(Keys.ENTER), is_new=True)

    def tab(self, name: str) -> None:
        found = self._find(f"//nav//a[normalize-space()={_quoted(name)}]")
        self._and_wait(found.click, is_new=True)

    def type(self, label: str, text: str, which: int = 1) -> None:
        field = self.field(label, which)
        field.clear()
        field.send_keys(text)

    def paste(self, label: str, text: str) -> None:
        """Put a text in the place of what a field has, whole, as from a clipboard."""
        field = self.field(label)
        field.clear()
        field.click()
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def choose(self, label: str, option: str) -> None:
        from selenium.webdriver.support.select import Select

        Select(self.field(label)).select_by_visible_text(option)

    def field(self, label: str, which: int = 1):
        labels = f"(//main//label[normalize-space()={_quoted(label)}])[{which}]"
        return self._find(f"//*[@id={labels}/@for]")

    def _and_wait(self, act, is_new: bool) -> None:
        """Act, and wait until the page that follows is there."""
        old = self.driver.find_element("tag name", "html")
        act()
        if is_new:
            eventually(lambda: _is_gone(old), LIMIT_S)
            eventually(lambda: self.driver.execute_script("return document.readyState") == "complete", LIMIT_S)

    @property
    def text(self) -> str:
        """What the page says, asked for at once: another page may be on its way."""
        return self.driver.execute_script("return document.querySelector('main')?.innerText ?? ''")


def _is_displayed(element) -> bool:
    from selenium.common.exceptions import StaleElementReferenceException

    try:
        return bool(element.is_displayed())
    except StaleElementReferenceException:  # another page has come meanwhile
        return False


def _is_gone(element) -> bool:
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException

    try:
        element.is_enabled()
    except (StaleElementReferenceException, WebDriverException):
        return True
    return False


def _quoted(text: str) -> str:
    return f'"{text}"'


@pytest.fixture
def hand(driver, console) -> Hand:
    driver.get(console.partition("/enter")[0] + "/")
    return Hand(driver)


def _begin(hand: Hand, name: str) -> None:
    hand.click("Create function")
    hand.choose("Runtime", THIS_PYTHON)
    hand.click("Begin with this runtime")
    hand.type("Name", name)


def test_the_screens_of_the_slides(hand, aws_of_module):
    name = aws_of_module.name("by-hand")
    _begin(hand, "by-hand")
    hand.press("Create function")  # by keyboard
    assert f"The function {name} was created." in hand.text
    assert "lambda_client.create_function(" in hand.text, "the cell that does the same"
    assert hand.driver.switch_to.active_element.get_attribute("id") == "notice", "what came of it is read first"

    hand.tab("Configuration")
    hand.type("Name of the variable", "GREETING")
    hand.type("Value", "Grüße")
    hand.click("Set the variable")
    assert "The variable GREETING is set." in hand.text

    hand.tab("Test")
    hand.choose("Template", "s3-put")
    hand.click("Take this template")
    hand.type("Name to save it under", "my-upload")
    hand.click("Save the event")
    assert "The event my-upload is saved." in hand.text
    hand.press("Test")  # by keyboard
    assert f"{name} succeeded." in hand.text
    assert '"hello": "Lambda"' in hand.text
    assert "REPORT RequestId" in hand.text and re.search(r"Max Memory Used \(MB\)\s+\d+", hand.text)

    hand.tab("Triggers")
    hand.click("Add an S3 trigger")
    hand.type("A new bucket (takes the place of one that is there)", "by-hand")
    hand.driver.find_element("xpath", "//button[@value='add-s3']").click()
    eventually(lambda: "The trigger is added." in hand.text)
    hand.click("Put an object into the bucket")
    hand.type("Key", "photos/1.txt")
    hand.type("Text of the object", "hello")
    hand.click("Put the object")
    assert "The object photos/1.txt is in the bucket." in hand.text

    hand.tab("Logs")

    def is_logged() -> bool:
        hand.type("Filter pattern", "photos")
        hand.click("Filter")
        return "photos/1.txt" in hand.text

    assert eventually(is_logged, LIMIT_S), "S3 has invoked the function"


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
    _begin(hand, "slack")
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


def test_live_shows_a_burst(hand, aws_of_module):
    from concurrent.futures import ThreadPoolExecutor

    _begin(hand, "burst")
    source = "import time\ndef handler(event, context):\n    time.sleep(1)\n"
    hand.paste("Text", source)
    hand.click("Create function")
    hand.tab("Live")
    hand.choose("Functions", aws_of_module.name("burst"))
    hand.click("Show")
    invoke = aws_of_module.client("lambda").invoke
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: invoke(FunctionName=aws_of_module.name("burst"), Payload="{}"), range(3)))
    eventually(lambda: re.search(r"3 environments of \S+burst: 3 idle", hand.text), LIMIT_S)


def test_behind_a_proxy_with_a_prefix(driver, aws_of_module, free_port):
    """As on a JupyterHub: pages, forms, their answers, styles, scripts and the WebSocket are all below the prefix."""
    from helpers.console import page, server

    port = free_port()
    with server.serving(page.Connection(aws_of_module), port) as address, proxied(port, "/user/ada/proxy/1") as base:
        driver.get(base + address.partition(f":{port}")[2])
        eventually(lambda: "Functions" in driver.title)
        hand = Hand(driver)
        _begin(hand, "proxied")
        hand.click("Create function")
        assert f"The function {aws_of_module.name('proxied')} was created." in hand.text
        assert driver.current_url.startswith(f"{base}/functions/")
        hand.tab("Live")
        eventually(lambda: "No environment" in hand.text or "environments of" in hand.text, LIMIT_S)
        [cookie] = [each for each in driver.get_cookies() if each["name"] == f"console-{port}"]
        assert cookie["path"] == "/user/ada/proxy/1", "other servers of the hub do not get it"
