"""The console as a reader uses it in a real browser: clicks, keys, and what the page then says."""

from collections.abc import Callable
from typing import Any

from localaws_client import THIS_PYTHON, eventually

LIMIT_S = 60


class Hand:
    """What a reader does at the console: clicks what has a name, and types into what has a label."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def _find(self, xpath: str) -> Any:
        return eventually(
            lambda: [each for each in self.driver.find_elements("xpath", xpath) if _is_displayed(each)], LIMIT_S
        )[0]

    def begin(self, name: str) -> None:
        """The form of a new function in this Python."""
        self.click("Create function")
        self.choose("Runtime", THIS_PYTHON)
        self.click("Begin with this runtime")
        self.type("Name", name)

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
        self.driver.execute_script("document.execCommand('insertText', false, arguments[0])", text)

    def choose(self, label: str, option: str) -> None:
        from selenium.webdriver.support.select import Select

        Select(self.field(label)).select_by_visible_text(option)

    def field(self, label: str, which: int = 1) -> Any:
        labels = f"(//main//label[normalize-space()={_quoted(label)}])[{which}]"
        return self._find(f"//*[@id={labels}/@for]")

    def _and_wait(self, act: Callable[[], Any], is_new: bool) -> None:
        """Act, and wait until the page that follows is there."""
        old = self.driver.find_element("tag name", "html")
        act()
        if is_new:
            eventually(lambda: _is_gone(old), LIMIT_S)
            eventually(lambda: self.driver.execute_script("return document.readyState") == "complete", LIMIT_S)

    @property
    def text(self) -> str:
        """What the page says, asked for at once: another page may be on its way."""
        text: str = self.driver.execute_script("return document.querySelector('main')?.innerText ?? ''")
        return text


def _is_displayed(element: Any) -> bool:
    from selenium.common.exceptions import StaleElementReferenceException

    try:
        return bool(element.is_displayed())
    except StaleElementReferenceException:  # another page has come meanwhile
        return False


def _is_gone(element: Any) -> bool:
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException

    try:
        element.is_enabled()
    except (StaleElementReferenceException, WebDriverException):
        return True
    return False


def _quoted(text: str) -> str:
    return f'"{text}"'
