"""A folder of web pages as a test looks at it: what each page holds, and which of its links lead to nothing."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src", "iframe": "src", "form": "action"}


@dataclass
class Page(HTMLParser):
    """One page: its text, and its elements as (tag, attributes) in their order."""

    text: str = ""
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attributes}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self) -> set[str]:
        return {given[name] for _, given in self.elements for name in ("id", "name") if name in given}

    @property
    def links(self) -> list[str]:
        return [given[LINKS[tag]] for tag, given in self.elements if LINKS.get(tag) in given]


def read(folder: Path) -> dict[str, Page]:
    """Every page of a folder, by its path in it."""
    pages: dict[str, Page] = {}
    for file in sorted(folder.rglob("*.html")):
        page = pages[file.relative_to(folder).as_posix()] = Page()
        page.feed(file.read_text(encoding="utf-8"))
    return pages


def dead(folder: Path, pages: dict[str, Page]) -> tuple[list[str], set[str]]:
    """Each link within the folder that leads to nothing, as "page: link"; and all those that lead out of it."""
    gone, out = [], set()
    for name, page in pages.items():
        for link in page.links:
            if urlsplit(link).scheme or link.startswith("//"):
                out.add(link)
                continue
            to = urlsplit(urljoin(f"/{name}", link))
            path, fragment = unquote(to.path).lstrip("/"), unquote(to.fragment)
            above = len([part for part in Path(link).parts if part == ".."]) > name.count("/")
            if above or not (folder / path).is_file() or (fragment and fragment not in pages[path].ids):
                gone.append(f"{name}: {link}")
    return gone, out


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
