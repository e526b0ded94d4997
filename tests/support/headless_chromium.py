"""Chromium without a window, for a page that a test looks at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def start(path_of: Callable[[str], str], folder: Path, window: str) -> Any:
    """A driver of a new Chromium with a profile in `folder` and this window, "width,height".

    `path_of` gives the path of a program, as the fixture `needs` does. What the pages say is in its log "browser".
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = path_of("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--window-size={window}",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={folder}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=path_of("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(300)  # beside other work axe-core may take minutes
    return driver
