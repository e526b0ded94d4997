"""The instructor's page in a real browser: it shows what is new by itself, and everything is there by keyboard."""

import time

import headless_chromium
import pytest
from class_support import KEY, attempt, prediction
from localaws_client import eventually

from helpers.classroom.instructor import store

LIMIT_S = 60
HOSTILE = "<script>x()</script>"


@pytest.fixture(scope="module")
def driver(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1024,576")  # 1280x720 at 125 %
    yield driver
    said = [each["message"] for each in driver.get_log("browser") if each["level"] == "SEVERE"]
    driver.quit()
    assert [each for each in said if "Content Security Policy" in each or "Error" in each] == []


@pytest.fixture
def opened(driver, served):
    driver.get(served.page)
    eventually(lambda: driver.title == "Class" and driver.find_elements("id", "learners"), LIMIT_S)
    return driver


def text(driver, id: str = "content") -> str:
    return driver.execute_script("return document.getElementById(arguments[0])?.innerText ?? ''", id)


def go(driver, path: str) -> None:
    driver.get(driver.current_url.partition("?")[0].rstrip("/").rsplit("/predictions", 1)[0] + path)


def take_in(served, number: int) -> str:
    id = served.store.add(f"Learner {number} {HOSTILE if number == 1 else ''}", f"{number:k>32}").id
    now = served.store.now()
    told = [{"kind": "section", "at": now - 900, "notebook": "04", "section": f"Section {number % 9}"}]
    told += [prediction("04.a", str(number)), prediction("04.a", f"{40 + number % 5} times", "measured")]
    told += [attempt(at=now - 800, sentence="Not yet. It is cold.")] if number % 5 == 0 else []
    served.store.take(id, list(enumerate(told)))
    return id


def test_it_shows_what_is_new_by_itself(opened, served):
    assert "Nobody has joined yet." in text(opened)
    typed = opened.find_element("id", "text")
    typed.send_keys("a message that is not sent yet")
    ada = take_in(served, 1)
    eventually(lambda: HOSTILE in text(opened, "learners"), LIMIT_S)
    served.store.raise_hand(ada, True)
    eventually(lambda: "Learner 1" in text(opened, "hands"), LIMIT_S)
    assert typed.get_attribute("value") == "a message that is not sent yet", "what is typed stays"
    assert opened.switch_to.active_element == typed
    assert opened.title == "Class"


def test_a_hand_is_lowered_and_a_message_sent_by_keyboard(opened, served):
    from selenium.webdriver.common.keys import Keys

    ada = take_in(served, 2)
    served.store.raise_hand(ada, True)
    eventually(lambda: opened.find_elements("id", f"lower-{ada}"), LIMIT_S)
    opened.execute_script("arguments[0].focus()", opened.find_element("id", f"lower-{ada}"))
    opened.switch_to.active_element.send_keys(Keys.ENTER)
    eventually(lambda: served.store.member(ada).hand is None, LIMIT_S)
    eventually(lambda: "Lowered." in text(opened), LIMIT_S)
    opened.find_element("id", "text").send_keys("Go on with 05", Keys.ENTER)
    eventually(lambda: [each.text for each in served.store.messages()] == ["Go on with 05"], LIMIT_S)
    eventually(lambda: "Sent." in text(opened), LIMIT_S)


def test_the_focus_stays_on_a_button_when_the_page_changes(opened, served):
    ids = [take_in(served, number) for number in (1, 2)]
    for id in ids:
        served.store.raise_hand(id, True)
    second = eventually(lambda: opened.find_elements("id", f"lower-{ids[1]}"), LIMIT_S)[0]
    opened.execute_script("arguments[0].focus()", second)
    served.store.raise_hand(ids[0], False)
    eventually(
        lambda: "1 hand up" in text(opened, "counts") and not opened.find_elements("id", f"lower-{ids[0]}"), LIMIT_S
    )
    assert opened.switch_to.active_element.get_attribute("id") == f"lower-{ids[1]}"


def test_sixty_learners_fit_into_the_width_and_the_projector_into_the_window(opened, served):
    for number in range(60):
        take_in(served, number)
    go(opened, "/")
    eventually(lambda: "60 learners" in text(opened, "counts"), LIMIT_S)
    assert len(opened.find_elements("css selector", "#learners tbody tr")) == 60
    assert "12 stuck" in text(opened, "counts")
    overflow = "return document.documentElement.scrollWidth - innerWidth"
    assert opened.execute_script(overflow) <= 0
    go(opened, "/predictions/04.a?measured=shown")
    eventually(lambda: "Measured: 42 times" in text(opened, "shown"), LIMIT_S)
    assert opened.execute_script(overflow) <= 0
    bottom = "return document.querySelector('.result').getBoundingClientRect().bottom - innerHeight"
    assert opened.execute_script(bottom) <= 0, "what was measured is seen without scrolling"
    size = "return parseFloat(getComputedStyle(document.querySelector('#shown tbody th')).fontSize)"
    assert opened.execute_script(size) >= 20
    assert "Learner 1" not in text(opened, "shown"), "no names on the projector"


LONG = ("Wolfeschlegelsteinhausenbergerdorffwelch", "Maximiliane Freifrau von und zu Sonntag", "Ada")
# The names, of those that a part of the page holds, of which a word is broken into several lines.
BROKEN = """
const names = [...document.querySelectorAll(arguments[0])];
return names.map((each) => each.firstChild).filter((text) => [...text.data.matchAll(/\\S+/g)].some((word) => {
  const range = document.createRange();
  range.setStart(text, word.index);
  range.setEnd(text, word.index + word[0].length);
  return range.getClientRects().length > 1;
})).map((text) => text.data);
"""


@pytest.mark.parametrize("window", [(1024, 576), (1280, 720)], ids=str)
def test_long_names_and_sentences_stay_readable(opened, served, window):
    """The width of the window alone counts: at 125 %, 1280 points are 1024."""
    metrics = {"width": window[0], "height": window[1], "deviceScaleFactor": 1280 / window[0], "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        now = served.store.now()
        for number, name in enumerate(LONG):
            id = served.store.add(name, f"{number:k>32}").id
            told = [{"kind": "section", "at": now - 900, "notebook": "04", "section": f"{number}" * 200}]
            told += [attempt(at=now - 800, sentence=f"Not yet. It answers {number * 'aGVsbG8'}{'x' * 200}, and more.")]
            served.store.take(id, list(enumerate(told)))
            served.store.raise_hand(id, True)
        eventually(lambda: LONG[-1] in text(opened, "stuck"), LIMIT_S)
        for names in ("#stuck .who li", "#learners tbody th a", "#hands li > span"):
            assert len(opened.find_elements("css selector", names)) == len(LONG)
            assert opened.execute_script(BROKEN, names) == [], names
        for path in ("/", f"/learners/{id}"):
            go(opened, path)
            eventually(lambda: "Not yet." in text(opened), LIMIT_S)
            assert opened.execute_script("return document.documentElement.scrollWidth - innerWidth") <= 0, path
    finally:
        opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_says_that_the_class_does_not_answer_and_goes_on_when_it_does(driver, open_class):
    with open_class() as served:
        driver.get(served.page)
        eventually(lambda: driver.find_elements("id", "learners"), LIMIT_S)
    lost = driver.find_element("id", "lost")
    eventually(lambda: lost.is_displayed() and "python3 -m helpers class" in lost.text, LIMIT_S)
    with open_class() as served:
        served.store.add("Ada", KEY)
        eventually(lambda: not lost.is_displayed() and "Ada" in text(driver, "learners"), LIMIT_S)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, served, axe, scheme):
    ids = [take_in(served, number) for number in range(6)]
    served.store.raise_hand(ids[1], True)
    served.store.say("Go on with 05")
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        for path in (
            "/",
            "/predictions",
            "/predictions/04.a?measured=shown",
            f"/learners/{ids[0]}",
            "/end",
            "/nowhere",
        ):
            opened.get(served.page.partition("/enter")[0] + path)
            assert opened.execute_script("return matchMedia('(prefers-color-scheme: dark)').matches") == (
                scheme == "dark"
            )
            assert axe.problems(opened) == [], path
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_who_is_away_is_said(opened, served, monkeypatch):
    take_in(served, 3)
    later = time.time() + 400
    monkeypatch.setattr(served.store, "_clock", lambda: later)
    eventually(lambda: "1 away" in text(opened, "counts"), LIMIT_S)
    assert store.LEARNERS >= 60
