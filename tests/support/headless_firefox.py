"""Firefox without a window, for a page that a test looks at: Selenium speaks its own protocol, Marionette, to it.

Debian has no geckodriver, which does nothing else: it passes each command of WebDriver on, by another name. See
https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localaws_client import eventually

# Selenium's names of commands, and Marionette's.
COMMANDS = {
    "newSession": "WebDriver:NewSession",
    "get": "WebDriver:Navigate",
    "refresh": "WebDriver:Refresh",
    "getTitle": "WebDriver:GetTitle",
    "getCurrentUrl": "WebDriver:GetCurrentURL",
    "getCookies": "WebDriver:GetCookies",
    "setTimeouts": "WebDriver:SetTimeouts",
    "setWindowRect": "WebDriver:SetWindowRect",
    "w3cExecuteScript": "WebDriver:ExecuteScript",
    "w3cExecuteScriptAsync": "WebDriver:ExecuteAsyncScript",
    "w3cGetActiveElement": "WebDriver:GetActiveElement",
    "findElement": "WebDriver:FindElement",
    "findElements": "WebDriver:FindElements",
    "findChildElement": "WebDriver:FindElement",
    "findChildElements": "WebDriver:FindElements",
    "clickElement": "WebDriver:ElementClick",
    "clearElement": "WebDriver:ElementClear",
    "sendKeysToElement": "WebDriver:ElementSendKeys",
    "getElementAttribute": "WebDriver:GetElementAttribute",
    "getElementProperty": "WebDriver:GetElementProperty",
    "getElementValueOfCssProperty": "WebDriver:GetElementCSSValue",
    "getElementText": "WebDriver:GetElementText",
    "getElementTagName": "WebDriver:GetElementTagName",
    "getElementRect": "WebDriver:GetElementRect",
    "getElementAriaLabel": "WebDriver:GetComputedLabel",
    "isElementEnabled": "WebDriver:IsElementEnabled",
    "isElementSelected": "WebDriver:IsElementSelected",
    "actions": "WebDriver:PerformActions",
    "screenshot": "WebDriver:TakeScreenshot",
}
LIMIT_S = 60


def start(path_of: Callable[..., str], folder: Path, window: str) -> Any:
    """A driver of a new Firefox with a profile in `folder` and this window, "width,height".

    `path_of` gives the path of a program, as the fixture `needs` does.
    """
    from selenium import webdriver

    driver = webdriver.Remote(Marionette(path_of("firefox", "firefox-esr"), folder), options=webdriver.FirefoxOptions())
    driver.set_window_size(*map(int, window.split(",")))
    driver.set_script_timeout(300)
    return driver


class Marionette:
    """Carries Selenium's commands to a Firefox of its own."""

    def __init__(self, firefox: str, profile: Path) -> None:
        (profile / "user.js").write_text('user_pref("marionette.port", 0);\n')  # any that is free; it writes which
        command = [firefox, "--headless", "--marionette", "--remote-allow-system-access", "--profile", str(profile)]
        with (profile / "said.txt").open("wb") as said:
            self._process = subprocess.Popen(command, stdout=said, stderr=said)
        written = profile / "MarionetteActivePort"
        try:
            port = eventually(lambda: written.exists() and written.read_text(), LIMIT_S)
        except AssertionError:
            self._process.kill()
            raise
        self._socket = socket.create_connection(("127.0.0.1", int(port)))
        self._packets = self._socket.makefile("rb")
        self._number = 0
        self._read()  # it says first which protocol it speaks

    def execute(self, command: str, parameters: dict[str, Any] | None) -> dict[str, Any]:
        """What Selenium asks of its connection: do this, and answer as WebDriver does."""
        told = dict(parameters or {})
        told.pop("sessionId", None)
        if command == "quit":
            return self._quit()
        if command == "newSession":
            told = {}  # as Firefox is there already
        if command.startswith("find") and "id" in told:
            told["element"] = told.pop("id")
        return self._send(COMMANDS[command], told)

    def in_firefox(self, script: str, *arguments: Any) -> Any:
        """What a script answers that may do in Firefox what no page may."""
        self._send("Marionette:SetContext", {"value": "chrome"})
        try:
            answer = self._send("WebDriver:ExecuteScript", {"script": script, "args": arguments})
            assert "status" not in answer, answer
            return answer["value"]
        finally:
            self._send("Marionette:SetContext", {"value": "content"})

    def close(self) -> None:  # Selenium's own name for it
        self._socket.close()

    def _send(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        packet = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(packet), packet))
        _, number, error, value = self._read()
        assert number == self._number
        if error:
            return {"status": error["error"], "value": error}
        return {"value": value["value"] if isinstance(value, dict) and set(value) == {"value"} else value}

    def _read(self) -> Any:
        """A packet is the number of its bytes, a colon, and JSON."""
        length = b""
        while not length.endswith(b":"):
            assert (byte := self._packets.read(1)), "Firefox has gone"
            length += byte
        return json.loads(self._packets.read(int(length[:-1])))

    def _quit(self) -> dict[str, Any]:
        self._send("Marionette:Quit", {"flags": ["eForceQuit"]})
        self._socket.close()
        self._process.wait(LIMIT_S)
        return {"value": None}
