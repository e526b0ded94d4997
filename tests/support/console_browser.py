"""The console as a browser without scripts uses it: asks for pages, fills in forms, and reads what a page shows."""

from html.parser import HTMLParser

import requests


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
