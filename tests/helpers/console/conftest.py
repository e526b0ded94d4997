"""The console of the tests: served at a port, on the embedded AWS that tests share, and used as a browser uses it."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
import requests

from helpers.console import page, server


class Shown(HTMLParser):
    """What a page has: its text, its values and the cells in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.cells: list[str] = []
        self.values: dict[str, str] = {}
        self._inside: list[tuple[str, str]] = []
        self.feed(html)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        if tag == "input" and told.get("name"):
            self.values[told["name"]] = told.get("value") or ""
        if tag not in ("input", "meta", "link", "img", "br"):
            self._inside.append((tag, told.get("class") or ""))
            if told.get("class") == "cell":
                self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            continue

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        tags = [tag for tag, _ in self._inside]
        if ("div", "cell") in self._inside and "pre" in tags:
            self.cells[-1] += data


class Browser:
    """Asks the console for pages, and sends its forms."""

    def __init__(self, address: str) -> None:
        self.base = address.partition("/enter")[0]
        self.session = requests.Session()
        self.session.trust_env = False
        entered = self.session.get(address)
        assert entered.status_code == 200, entered.text

    def get(self, path: str, **query: str) -> Shown:
        answer = self.session.get(f"{self.base}/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return Shown(answer.text)

    def post(self, path: str, do: str, *, status: int = 200, files: dict | None = None, **fields: object) -> Shown:
        """Press the button `do`; give the page that follows, or the one that says what was wrong."""
        proof = Shown(self.session.get(f"{self.base}/create").text).values["proof"]
        data = {"proof": proof, "do": do, **fields}
        answer = self.session.post(f"{self.base}/{path}", data=data, files=files)
        assert answer.status_code == status, answer.text
        return Shown(answer.text)


@pytest.fixture(scope="module")
def served(aws_of_module, free_port) -> Iterator[str]:
    """The address that opens the console, once."""
    connection = page.Connection(aws_of_module)
    with server.serving(connection, free_port()) as address:
        yield address


@pytest.fixture(scope="module")
def browser(served) -> Browser:
    return Browser(served)


@pytest.fixture
def name_of(aws_of_module):
    """The whole name of a function of the learner."""
    return lambda text: aws_of_module.name(text)


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
