"""The console in a real browser, Chromium and Firefox: the slides' screens by clicks and keys alone, and Live."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import browsers
import pytest
from browsers import in_both
from console_hand import LIMIT_S, Hand
from localaws_client import eventually

from helpers.console import page, server


@pytest.fixture
def hand(driver, aws_of_module, free_port) -> Iterator[Hand]:
    driver.set_window_size(1024, 576)  # 1280x720 at 125 %
    with server.serving(page.Connection(aws_of_module), free_port()) as address:
        driver.get(address)
        eventually(lambda: "Functions" in driver.title, LIMIT_S)
        yield Hand(driver)
        said = browsers.errors(driver)
        driver.get("about:blank")  # before its server goes
    assert [each for each in said if "Content Security Policy" in each or "Error" in each] == []


@in_both
def test_the_screens_of_the_slides(hand, aws_of_module):
    short = f"by-hand-{hand.driver.name}"
    name = aws_of_module.name(short)
    hand.begin(short)
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
    hand.type("Name to save it under", short)
    hand.click("Save the event")
    assert f"The event {short} is saved." in hand.text
    hand.press("Test")  # by keyboard
    assert f"{name} succeeded." in hand.text
    assert '"hello": "Lambda"' in hand.text
    assert "REPORT RequestId" in hand.text and re.search(r"Max Memory Used \(MB\)\s+\d+", hand.text)

    hand.tab("Triggers")
    hand.click("Add an S3 trigger")
    hand.type("A new bucket (takes the place of one that is there)", short)
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


@in_both
def test_live_shows_a_burst(hand, aws_of_module):
    short = f"burst-{hand.driver.name}"
    name = aws_of_module.name(short)
    hand.begin(short)
    source = "import time\ndef handler(event, context):\n    time.sleep(1)\n"
    hand.paste("Text", source)
    hand.click("Create function")
    hand.tab("Live")
    hand.choose("Functions", name)
    hand.click("Show")
    invoke = aws_of_module.client("lambda").invoke
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: invoke(FunctionName=name, Payload="{}"), range(3)))
    eventually(lambda: re.search(r"3 environments of \S+burst-\S+: 3 idle", hand.text), LIMIT_S)
