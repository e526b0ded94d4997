"""The picture's page alone in a real browser: its modules as they are, with a model that a test speaks for."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browsers
from localaws_client import eventually

from helpers.watch import static_files, strings

TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
# `tell` is what Python says, `sent` what the page says.
PAGE = """<!doctype html><meta charset="utf-8"><title>watch</title><link rel="stylesheet" href="/watch.css">
<button id="before">before</button><div id="place"></div><button id="after">after</button>
<script type="module">
import root from "/watch.js";
const listeners = new Set();
const state = await (await fetch("/state.json")).json();
const model = {
  get: (name) => state[name],
  send: (message) => sent.push(message),
  on: (name, listen) => listeners.add(listen),
  off: (name, listen) => listeners.delete(listen),
};
window.sent = [];
window.tell = (message) => listeners.forEach((listen) => listen(message));
window.leave = root.render({ model, el: document.getElementById("place") });
</script>"""


def serve() -> Iterator[str]:
    """The address of the page, while the generator is not ended."""
    state = {"modules": {"environments": "/environments.js"}, "strings": strings.catalogue(), "show": "environments"}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            body, kind = PAGE.encode(), "text/html"
            if name == "state.json":
                body, kind = json.dumps(state).encode(), TYPES[".json"]
            elif name and (static_files.FOLDER / name).is_file():
                body, kind = static_files.read(name).encode(), TYPES[Path(name).suffix]
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class Page:
    """The page as a test uses it; a new one for each."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        driver.get(address)
        eventually(lambda: self.run("return window.sent?.some((each) => each.type === 'look')"), 60)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def tell(self, kind: str, **members: Any) -> None:
        """Say this as Python would."""
        self.run("tell(arguments[0])", {"type": kind, **members})

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.run("return sent") if each["type"] == kind]

    def text(self, selector: str) -> str:
        """What stands in the first element of this selector, shown or not."""
        return self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def all(self, selector: str, what: str = "textContent") -> list[Any]:
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each[arguments[1]])"
        return self.run(script, selector, what)

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        """The name of what has the focus, as a screen reader says it."""
        name: str = self.driver.switch_to.active_element.accessible_name
        return name

    def problems(self) -> list[str]:
        """What the browser's console says that is an error."""
        return browsers.errors(self.driver)
