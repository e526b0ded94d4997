"""What tests ask of Chromium and of Firefox alike, which each has a way of its own for.

A script of a test in Firefox has globals of its own, so what is to change the page's is written `window.name = …`.
"""

from typing import Any

import pytest

BOTH = ("chromium", "firefox")
# A test with this is run in each of them; its fixture `driver` gives the browser, which is Chromium otherwise.
in_both = pytest.mark.parametrize("driver", BOTH, indirect=True)

# In Firefox the errors of pages are beside those of its own scripts; each is told once, as Chromium does.
ERRORS = """
const found = Services.console.getMessageArray().filter((each) => each instanceof Ci.nsIScriptError
  && !(each.flags & Ci.nsIScriptError.warningFlag) && /^https?:/.test(each.sourceName));
Services.console.reset();
return found.map(String);
"""
# Its settings for what a reader's system asks for, and the values that their numbers stand for.
MEDIA = {
    "prefers-color-scheme": ("layout.css.prefers-color-scheme.content-override", ["dark", "light"]),
    "prefers-reduced-motion": ("ui.prefersReducedMotion", ["no-preference", "reduce"]),
}
SET = """
const [name, value] = arguments;
value === null ? Services.prefs.clearUserPref(name) : Services.prefs.setIntPref(name, value);
"""


def errors(driver: Any) -> list[str]:
    """What the browser's console says that is an error, since it was asked last."""
    if driver.name == "firefox":
        return driver.command_executor.in_firefox(ERRORS)
    return [each["message"] for each in driver.get_log("browser") if each["level"] == "SEVERE"]


def emulate(driver: Any, **features: str) -> None:
    """From now on the reader's system asks for these media features, `prefers_color_scheme="dark"`, and no others."""
    wanted = {name.replace("_", "-"): value for name, value in features.items()}
    if driver.name != "firefox":
        told = [{"name": name, "value": value} for name, value in wanted.items()]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": told})
        return
    for feature, (setting, values) in MEDIA.items():
        value = values.index(wanted[feature]) if feature in wanted else None
        driver.command_executor.in_firefox(SET, setting, value)
