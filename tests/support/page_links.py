"""What a folder of pages refers to: each link and picture, and whether it is there. No browser is needed."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote


class Page(HTMLParser):
    """The addresses in a page, its ids, its headings, and what could run."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.without_alt: list[str] = []
        self.runs: list[str] = []
        self.text = ""
        self._is_style = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self._is_style = tag == "style"
        self.addresses += [told[name] for name in ("href", "src", "action", "data", "poster") if name in told]
        if "id" in told:
            self.ids.append(told["id"])
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append(int(tag[1]))
        if tag == "img" and not told.get("alt"):
            self.without_alt.append(told["src"][:40])
        if tag in ("script", "iframe", "object", "embed", "form", "base") or any(
            name.startswith("on") for name in told
        ):
            self.runs.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += "" if self._is_style else data


def dead(folder: Path) -> Iterator[str]:
    """Each address of the folder's pages that leads nowhere, or loads something from outside."""
    pages = {path: Page(path) for path in folder.rglob("*.html")}
    for path, page in pages.items():
        for address in page.addresses:
            if address.startswith(("https://", "data:image/")) or address == "data:,":
                continue
            name, _, place = address.partition("#")
            target = (path.parent / unquote(name)).resolve() if name else path
            is_there = target.is_relative_to(folder.resolve()) and target.is_file()
            if not is_there or (place and unquote(place) not in pages[target].ids):
                yield f"{path.name}: {address}"
        yield from (f"{path.name}: two of #{each}" for each in set(page.ids) if page.ids.count(each) > 1)
