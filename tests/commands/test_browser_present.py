"""`present` in a real browser: the projector shows a section at a time, keys run it, and the presenter page follows."""

import contextlib
import re

import headless_chromium
import pytest
from lab_in_a_browser import LAB_LIMIT_S, cells, eventually
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Keys

from helpers import lessons
from helpers.authoring.source import Source

FIRST, AFTER_IT, THIRD = "Opening", "What a cold start is", "Measure it: ten cold, twenty warm"  # of 04 in the evening
LEFT_OUT = "An experiment that needs a while"
WINDOWS = ((1280, 720), (1024, 576))  # the second is the first at 125 %
SHOWN = """
return [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) :is(h1, h2)')]
  .filter((each) => each.checkVisibility()).map((each) => each.textContent.replace('¶', ''));
"""
# The lines of code that are shown, and do not fit into one line of the window.
WRAPPED = """
const lines = [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .cm-line')];
const isWrapped = (line) => line.getBoundingClientRect().height > 1.7 * parseFloat(getComputedStyle(line).fontSize);
return lines.filter((each) => each.checkVisibility() && isWrapped(each)).map((each) => each.textContent);
"""
EDITOR = """
return [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .cm-content')].find(
  (each) => each.checkVisibility() && each.textContent.includes(arguments[0]));
"""
# JupyterLab brings to the front what was opened, but not at once, as on a busy machine.
LATE = """
const { shell } = window.jupyterapp;
let isAsked = false;
const late = (id) => { delete shell.activateById; shell.activateById(id); };
shell.activateById = (id) => { isAsked ||= setTimeout(late, 1000, id); };
"""
SIZE = "return parseFloat(getComputedStyle(document.querySelector(arguments[0])).fontSize)"
CHOSEN = ".jp-Notebook .jp-Cell.jp-mod-active"
OF_JUPYTERLAB = (
    "#jp-top-panel, #jp-menu-panel, #jp-bottom-panel, .jp-SideBar, .jp-NotebookPanel-toolbar, .jp-FileBrowser"
)


class Screens:
    """The projector and the presenter page, in two tabs."""

    def __init__(self, driver, projector: str, page: str) -> None:
        self.driver, self.said = driver, []
        driver.get(projector)
        self.projector = driver.current_window_handle
        driver.switch_to.new_window("tab")
        driver.get(page)
        self.page = driver.current_window_handle
        self.wait(lambda: self.heading == FIRST)
        driver.switch_to.window(self.projector)
        self.wait(lambda: driver.find_elements("css selector", ".workshop-bar span") and self.place)

    def wait(self, condition) -> None:
        eventually(condition, LAB_LIMIT_S, self.now)

    def now(self) -> str:
        """What is to be seen, for who looks into a failure."""
        shown = self.driver.execute_script(SHOWN)
        return f"{self.driver.title}, {self.place}, {shown}: {self.driver.page_source[-3000:]}"

    def on_page(self, look):
        """What `look` finds on the presenter page."""
        self.driver.switch_to.window(self.page)
        try:
            return look(self.driver)
        finally:
            self.driver.switch_to.window(self.projector)

    @property
    def place(self) -> str:
        return self.text(".workshop-bar span")

    @property
    def is_busy(self) -> bool:
        """Whether the projector has not dealt with all that was pressed."""
        return self.driver.find_element("css selector", ".workshop-bar").get_attribute("aria-busy") == "true"

    @property
    def heading(self) -> str:
        return self.text("#now h1")

    def text(self, selector: str) -> str:
        """That of an element which may be another one in a moment."""
        return self.driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def click(self, selector: str) -> None:
        """On an element which may be another one in a moment: then there was no click."""
        with contextlib.suppress(StaleElementReferenceException):
            self.driver.find_element("css selector", selector).click()

    def click_editor(self, text: str):
        """The editor of the code that is shown and has this text, which gets the keys."""
        editor = self.driver.execute_script(EDITOR, text)
        ActionChains(self.driver).move_to_element(editor).click().perform()
        return editor

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def press_until(self, condition, key: str = Keys.PAGE_DOWN) -> None:
        """Press a key as often as it needs, as somebody with a clicker does."""

        def press() -> None:
            if not self.is_busy:  # else what is pressed too much would go on later
                self.press(key)

        self.do_until(lambda: not self.is_busy and condition(), press)

    def do_until(self, condition, do) -> None:
        def once() -> bool:
            if not condition():
                do()
            return condition()

        self.wait(once)

    def go(self, heading: str, number: str = "04") -> None:
        """To a section, by the list of the presenter page."""

        def choose(driver) -> None:
            driver.execute_script("document.querySelector('details.outline').open = true")
            of_notebook = f"//h2[starts-with(., 'Notebook {number}')]/following-sibling::ul[1]"
            driver.find_element("xpath", f"{of_notebook}/li/button[.='{heading}']").click()
            driver.execute_script("document.querySelector('details.outline').open = false")

        self.on_page(choose)
        self.wait(lambda: f"{number} {lessons.lesson(number).title}: {heading}" in self.place)

    def of(self, heading: str) -> list[dict]:
        """The code cells of a section, as they stand in JupyterLab."""
        section = next(each for each in Source(lessons.lesson("04")).sections if each.heading == heading)
        texts = [cell.text for cell in section.cells if cell.kind == "code"]
        return [cell for cell in cells(self.driver) if cell["source"] in texts]

    def displayed(self, selector: str) -> bool:
        return any(each.is_displayed() for each in self.driver.find_elements("css selector", selector))


@pytest.fixture(scope="module")
def screens(needs, presented, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1280,720")
    yield Screens(driver, *presented)
    said = [each["message"] for each in driver.get_log("browser") if each["level"] == "SEVERE"]
    driver.quit()
    assert [each for each in said if "presenting" in each or "Content Security Policy" in each] == []


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_the_projector_has_the_notebook_alone_in_large_type(screens, window, tmp_path):
    driver = screens.driver
    metrics = {"width": window[0], "height": window[1], "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    screens.go(FIRST)
    screens.wait(lambda: driver.execute_script(SHOWN) == ["04 Cold start"])
    driver.save_screenshot(str(tmp_path / "projector.png"))
    assert not screens.displayed(OF_JUPYTERLAB), "all room is the notebook's"
    assert driver.execute_script(SIZE, ".jp-RenderedMarkdown p") >= window[1] / 30, "the last row can read it"
    assert driver.execute_script(SIZE, ".cm-line") >= window[1] / 34
    for heading in (FIRST, AFTER_IT, THIRD):
        screens.go(heading)
        assert driver.execute_script(WRAPPED) == []


def test_one_section_is_shown_at_a_time_also_where_prose_ends_one_and_begins_the_next(screens):
    for heading in (AFTER_IT, THIRD):
        screens.go(heading)
        screens.wait(lambda heading=heading: screens.driver.execute_script(SHOWN) == [heading])
    prose = screens.driver.find_element("css selector", ".jp-NotebookPanel:not(.lm-mod-hidden)").text
    assert "To force a cold start" in prose and "You can begin anywhere" not in prose
    assert "Both rows have the same" not in prose, "the end of the section before stands in the same cell"


def test_keys_scroll_and_run_and_go_on_and_the_presenter_page_follows(screens):
    screens.go(FIRST)
    screens.press_until(lambda: AFTER_IT in screens.place)
    assert len(screens.of("")) == 4
    screens.wait(lambda: all(cell["execution_count"] for cell in screens.of("")))
    screens.on_page(lambda driver: screens.wait(lambda: screens.heading == AFTER_IT))
    clock = screens.on_page(lambda driver: driver.find_element("id", "clock").text)
    assert re.search(r"\d:\d\d of 50 min", clock), "of the plan from notebook 04 on"
    screens.press_until(lambda: FIRST in screens.place, Keys.PAGE_UP)
    screens.on_page(lambda driver: screens.wait(lambda: screens.heading == FIRST))


def test_what_the_plan_leaves_out_runs_unseen_where_later_cells_need_it(screens):
    screens.go(AFTER_IT)
    screens.press_until(lambda: all(cell["execution_count"] for cell in screens.of(AFTER_IT)))
    assert all(cell["execution_count"] for cell in screens.of(LEFT_OUT))
    assert LEFT_OUT not in screens.driver.execute_script(SHOWN)
    screens.wait(lambda: screens.of(AFTER_IT)[-1]["outputs"])  # the table of the two invocations
    outputs = [output for cell in screens.of(AFTER_IT) for output in cell["outputs"]]
    assert not [each for each in outputs if each["output_type"] == "error"]


def test_in_an_editor_the_keys_are_the_editors(screens):
    driver = screens.driver
    screens.go(THIRD)
    editor = screens.click_editor("def make_cold")
    top = driver.execute_script("return window.getSelection().anchorNode !== null")
    screens.press(Keys.PAGE_DOWN, Keys.PAGE_DOWN, Keys.PAGE_DOWN)
    assert (
        top
        and THIRD in screens.place
        and driver.execute_script("return arguments[0].contains(document.activeElement)", editor)
    )
    assert not any(cell["execution_count"] for cell in screens.of(THIRD))
    ActionChains(driver).key_down(Keys.ALT).send_keys(Keys.PAGE_DOWN).key_up(Keys.ALT).perform()
    screens.press_until(lambda: any(cell["execution_count"] for cell in screens.of(THIRD)))


def test_prose_is_shown_as_prose_also_where_an_editor_had_the_keys(screens):
    screens.go(THIRD)
    code = screens.click_editor("def make_cold")
    screens.wait(lambda: screens.driver.execute_script("return arguments[0].contains(document.activeElement)", code))
    screens.go(FIRST)
    screens.wait(lambda: screens.driver.execute_script(SHOWN) == ["04 Cold start"])


def test_the_buttons_of_the_presenter_page_move_the_projector(screens):
    def click(button: str) -> None:
        screens.on_page(lambda driver: driver.find_element("css selector", f"header button.{button}").click())

    screens.go(FIRST)
    screens.do_until(lambda: AFTER_IT in screens.place, lambda: click("next"))
    screens.do_until(lambda: FIRST in screens.place, lambda: click("back"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_the_presenter_page_has_no_fault_that_axe_finds(screens, axe, window, scheme, tmp_path):
    screens.go(THIRD)

    def look(driver) -> None:
        metrics = {"width": window[0], "height": window[1], "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        screens.wait(lambda: screens.heading == THIRD)
        driver.save_screenshot(str(tmp_path / "page.png"))
        assert axe.problems(driver) == []
        assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        driver.find_element("css selector", "details.outline summary").click()
        assert axe.problems(driver) == []
        driver.find_element("css selector", "details.outline summary").click()

    screens.on_page(look)


def test_the_solution_is_copied_and_the_projector_shows_no_notes(screens):
    screens.go("Write it", "09")
    screens.wait(lambda: screens.driver.execute_script(SHOWN) == ["Write it"])
    notes = Source(lessons.lesson("09")).notes["Write it"]

    def copy(driver) -> str:
        screens.wait(lambda: screens.heading == "Write it")
        permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
        driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": permissions})
        driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})  # a tab of no window has none
        said = lambda: driver.find_element("id", "said").get_attribute("textContent")  # noqa: E731
        screens.do_until(lambda: said() == "Copied.", lambda: screens.click("button.copy"))
        assert notes.say[:30] in driver.page_source
        return driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")

    assert screens.on_page(copy) == lessons.exercises()["09"].answer("python").rstrip()
    assert notes.say[:30] not in screens.driver.page_source


def test_a_notebook_that_comes_to_the_front_late_is_waited_for(screens):
    screens.go(FIRST)
    screens.driver.execute_script(LATE)
    screens.go("The bucket", "16")
    screens.wait(lambda: screens.driver.execute_script(SHOWN) == ["The bucket"])


def test_all_of_jupyterlab_is_one_click_away(screens):
    screens.go(FIRST)
    toggle = screens.driver.find_elements("css selector", ".workshop-bar button")[-1]
    toggle.click()
    screens.wait(lambda: screens.displayed("#jp-menu-panel") and screens.displayed(".jp-NotebookPanel-toolbar"))
    screens.wait(lambda: {AFTER_IT, LEFT_OUT, THIRD} <= set(screens.driver.execute_script(SHOWN)))
    of_another = screens.driver.find_element(
        "xpath", f"//div[contains(@class, 'jp-Notebook')]//h2[starts-with(., '{THIRD}')]"
    )
    of_another.click()
    screens.wait(lambda: THIRD in screens.driver.find_element("css selector", CHOSEN).text)
    toggle.click()
    screens.wait(lambda: not screens.displayed(OF_JUPYTERLAB))
    screens.wait(lambda: screens.driver.execute_script(SHOWN) == ["04 Cold start"])
    assert screens.displayed(CHOSEN) and "Cold start" in screens.driver.find_element("css selector", CHOSEN).text
