"""A folder of web pages as a test looks at it: what each page holds, and which of its links lead to nothing."""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ADDRESSES = ("href", "src", "action", "data", "poster")
OUTSIDE = re.compile(r"https://|data:image/|data:,$")  # where a link out of the folder may lead
RUNS = {"script", "iframe", "object", "embed", "form", "base"}


class Page(HTMLParser):
    """One page: its text, and its elements as (tag, attributes) in their order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.text = ""
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._is_style = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"
        self.elements.append((tag, {name: value or "" for name, value in attributes}))

    def handle_data(self, data: str) -> None:
        self.text += "" if self._is_style else data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def links(self) -> list[str]:
        return [given[name] for _, given in self.elements for name in ADDRESSES if name in given]

    @property
    def ids(self) -> list[str]:
        return [given["id"] for _, given in self.elements if "id" in given]

    @property
    def headings(self) -> list[int]:
        """The level of each."""
        return [int(tag[1]) for tag, _ in self.elements if re.fullmatch("h[1-6]", tag)]

    @property
    def without_alt(self) -> list[str]:
        """The pictures without a text that says what they show."""
        return [given.get("src", "")[:40] for given in self.all("img") if not given.get("alt", "").strip()]

    @property
    def runs(self) -> list[str]:
        """What could run, or send something."""
        return [tag for tag, given in self.elements if tag in RUNS or any(name.startswith("on") for name in given)]


def read(folder: Path) -> dict[str, Page]:
    """Every page of a folder, by its path in it."""
    return {file.relative_to(folder).as_posix(): Page(file) for file in sorted(folder.rglob("*.html"))}


def dead(folder: Path) -> list[str]:
    """Each link of the folder's pages that leads to nothing in it, or out of it to where none should."""
    pages = {page.path.resolve(): page for page in read(folder).values()}
    ids = {path: set(page.ids) for path, page in pages.items()}
    gone = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                is_there = bool(OUTSIDE.match(link))
            else:
                to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                is_there = to.is_relative_to(folder.resolve()) and to.is_file()
                is_there = is_there and (not parts.fragment or unquote(parts.fragment) in ids[to])
            if not is_there:
                gone.append(f"{path.relative_to(folder.resolve()).as_posix()}: {link}")
    return gone


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the folder below a prefix, its own name, as GitHub Pages does; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder.parent))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{folder.name.replace(' ', '%20')}/"
        server.shutdown()
