"""The console in a real browser, Chromium and Firefox: the slides' screens by clicks and keys alone, and Live."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import browsers
import pytest
from browsers import in_both
from console_hand import LIMIT_S, Hand
from localaws_client import eventually
from meeting import MEETS, meeting, together

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


def let_run_longer(client, name):
    client.update_function_configuration(FunctionName=name, Timeout=300)
    client.get_waiter("function_updated_v2").wait(FunctionName=name)


@in_both
def test_live_shows_a_burst(hand, aws_of_module):
    short = f"burst-{hand.driver.name}"
    name = aws_of_module.name(short)
    hand.begin(short)
    hand.paste("Text", MEETS)
    hand.click("Create function")
    let_run_longer(aws_of_module.client("lambda"), name)
    hand.tab("Live")
    hand.choose("Functions", name)
    hand.click("Show")
    invoke = aws_of_module.client("lambda").invoke
    together([lambda port: invoke(FunctionName=name, Payload=json.dumps(port))] * 3)
    eventually(lambda: re.search(r"3 environments of \S+burst-\S+: 3 idle", hand.text), LIMIT_S)


# The first time that a page asks, it gets no answer; the sentence that the console has gone is remembered.
ONCE_WITHOUT_ANSWER = """
window.asked = 0;
window.was_lost = false;
const { fetch } = window, lost = document.getElementById("lost");
window.fetch = (...what) => { window.asked += 1; return window.asked === 1 ? Promise.reject() : fetch(...what); };
new MutationObserver(() => { window.was_lost = true; }).observe(lost, { attributes: true });
"""


@in_both
def test_one_question_without_an_answer_is_not_the_end(hand):
    """In Firefox a form that is sent ends what its page asks, and the page is there until the answer comes."""
    hand.driver.execute_script(ONCE_WITHOUT_ANSWER)
    eventually(lambda: hand.driver.execute_script("return window.asked") >= 3, LIMIT_S)
    assert hand.driver.execute_script("return window.was_lost") is False


MANY, END = 200, "\ue010"


@pytest.mark.slow
def test_live_counts_hundreds_that_really_run_at_once(hand, aws_of_module):
    """Tiles while there are few, then the dense grid; what is counted there is what runs."""
    client, name = aws_of_module.client("lambda"), aws_of_module.name("hundreds")
    hand.begin("hundreds")
    hand.paste("Text", MEETS)
    hand.click("Create function")
    let_run_longer(client, name)
    hand.tab("Live")
    hand.choose("Functions", name)
    hand.click("Show")

    def shown(selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)"
        return hand.driver.execute_script(script, selector)

    def counts(sentence: str) -> bool:
        return sentence in "".join(shown(".watch-summary"))

    few, many = 10, min(MANY, client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    with ThreadPoolExecutor(many) as threads, meeting() as held:

        def invoke(number: int) -> list[Future]:
            event = json.dumps(held.port)
            return [threads.submit(client.invoke, FunctionName=name, Payload=event) for _ in range(number)]

        calls = invoke(few)
        held.wait_for(few)
        eventually(lambda: counts(f"{few} environments of {name}: {few} busy; {few} cold starts, "), LIMIT_S)
        assert [text[:4] for text in shown(".watch-tile .watch-word")] == ["busy"] * few
        calls += invoke(many - few)
        held.wait_for(many - few)
        eventually(lambda: counts(f"{many} environments of {name}: {many} busy; {many} cold starts, "), LIMIT_S)
        assert shown(".watch-tile") == []
        hand.driver.find_element("css selector", ".watch-cursor").send_keys(END)
        assert shown(".watch-cell-says")[0].startswith(f"Environment {many} of {name}: busy, ")
        held.end()
        assert len({call.result()["Payload"].read() for call in calls}) == many
    idle = f"{many} environments of {name}: {many} idle; {many} cold starts, {many} invocations, none failed."
    eventually(lambda: counts(idle), LIMIT_S)
    client.delete_function(FunctionName=name)
