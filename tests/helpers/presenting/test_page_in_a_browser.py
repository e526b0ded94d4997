"""The presenter page in a real browser: nothing leaves the window."""

import headless_chromium
import pytest
from localaws_client import eventually

from helpers import classroom
from helpers.classroom import AtSection, Figures, StuckAt
from helpers.presenting import plans, server

LIMIT_S = 60
LONG = "Wolfeschlegelsteinhausenbergerdorffwelch"
FIGURES = Figures(
    learners=3,
    sections=(AtSection("04", "x" * 200, 2),),
    stuck=(StuckAt("04.2", f"Not yet. It answers {'aGVsbG8' * 40}.", 1),),
    hands_up=(LONG, "Maximiliane Freifrau von und zu Sonntag", LONG.upper()),
    is_served=True,
)
LOADED = "return document.readyState == 'complete' && document.getElementById('class') != null"
OVERFLOW = "return document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def driver(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1280,720")
    yield driver
    driver.quit()


@pytest.fixture(params=[(1024, 576), (1280, 720)], ids=str)
def opened(driver, request, free_port, tmp_path, monkeypatch):
    """The page of the evening under a long title, with a class; the first window is the second at 125 %."""
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    monkeypatch.setattr(classroom, "figures", lambda home: FIGURES)
    width, height = request.param
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1280 / width, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    plan = plans.read("evening")._replace(title=f"The evening of {LONG}, {LONG} and {LONG}")
    with server.serving(plan, 17, str, free_port()) as served:
        driver.get(served.address)
        eventually(lambda: driver.execute_script(LOADED), LIMIT_S)
        yield driver


def test_whatever_learners_and_a_plan_are_called_nothing_leaves_the_window(opened):
    assert LONG in opened.find_element("id", "class").text
    assert opened.execute_script(OVERFLOW) <= 0


def test_the_header_leaves_the_notes_their_room(opened):
    header = opened.find_element("css selector", "header").size["height"]
    assert header <= opened.execute_script("return innerHeight") / 4
