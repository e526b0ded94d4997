"""Makes what a notebook has shown fit for a page that nothing runs: of each output, what can be read without a kernel.

Charts and still pictures become files with their alternative text, a widget its text, and the HTML of tables is put
right where it keeps people out.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from html import escape
from html.parser import HTMLParser

import nbformat
from nbformat import NotebookNode

from .links import PICTURES

PICTURE_KINDS = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
# What a page shows of an output: the first that it has. All else needs scripts, or a kernel.
KINDS = ("text/html", "text/markdown", *PICTURE_KINDS, "text/plain")
SCROLLS = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:auto|scroll)")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
DROPPED = {"script", "iframe", "object", "link"}  # what would run, or ask another host

Follow = Callable[[str], str | None]


class Shown:
    """Changes the outputs of the notebooks, and keeps their pictures: path in the site, and content."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}

    def change(self, outputs: Iterable[NotebookNode], markdown: Callable[[str], str], follow: Follow) -> None:
        """Change outputs in place; `markdown` and `follow` say what becomes of their links."""
        for output in outputs:
            data = output.get("data")
            if data is None:  # a stream, or an error
                continue
            kind = next((each for each in KINDS if each in data), None)
            if kind in PICTURE_KINDS:
                new = {"text/markdown": self._picture(kind, data[kind], _alt(output, kind))}
            elif kind == "text/html":
                new = {kind: accessible(data[kind], follow)}
            elif kind == "text/markdown":
                new = {kind: markdown(data[kind])}
            else:
                new = {"text/plain": data.get("text/plain", "")}
            output.data, output.metadata = nbformat.from_dict(new), nbformat.from_dict({})

    def _picture(self, kind: str, value: str, alt: str) -> str:
        content = value.encode() if kind == "image/svg+xml" else base64.b64decode(value)
        place = f"{PICTURES}/{hashlib.sha256(content).hexdigest()[:16]}.{PICTURE_KINDS[kind]}"
        self.pictures[place] = content
        return f"![{_as_markdown(alt)}](/{place})"


def _alt(output: NotebookNode, kind: str) -> str:
    """The alternative text that the chart or still picture was given, or else the text of the output."""
    return str(output.metadata.get(kind, {}).get("alt") or output.data.get("text/plain", ""))


def _as_markdown(text: str) -> str:
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def accessible(html: str, follow: Follow) -> str:
    """The HTML of an output: no empty header, no scripts, what scrolls can have the focus, and links as the site's."""
    page = _Page(follow)
    page.feed(html)
    page.close()
    return page.text


class _Page(HTMLParser):
    """Writes again what it reads, tag by tag, and changes what the site cannot have."""

    def __init__(self, follow: Follow) -> None:
        super().__init__(convert_charrefs=False)
        self.follow = follow
        self.parts: list[str] = []
        self.dropped = 0  # how deep we are in what is left out
        self.header: int | None = None  # where the header cell that is open began
        self.words = ""  # of that cell
        self.links: list[bool] = []  # for each <a> that is open, whether it was written

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attributes if not name.startswith("on")}
        if self._drops(tag, given):
            self.dropped += tag not in VOID
        if self.dropped or self._drops(tag, given):
            return
        if tag == "th":
            self.header, self.words = len(self.parts), ""
        if tag == "a":
            given["href"] = self.follow(given.get("href") or "")
            self.links.append(given["href"] is not None)
            if not self.links[-1]:
                return
        if SCROLLS.search(given.get("style") or ""):
            given.setdefault("tabindex", "0")
        if tag == "table":
            given.pop("border", None)
        self.parts.append(_tag(tag, given))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if not self.dropped and tag not in VOID:  # of an SVG
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.dropped:
            self.dropped -= tag in DROPPED or tag == "style"
        elif tag == "a" and self.links and not self.links.pop():
            return
        else:
            self.parts.append(f"</{tag}>")
            if tag == "th" and self.header is not None:
                self._end_header()

    def _end_header(self) -> None:
        """Make a header without words a cell: there is nothing that it could name."""
        start, self.header = self.header, None
        if start is not None and not self.words.replace("&nbsp;", "").strip():
            self.parts[start] = re.sub("^<th", "<td", self.parts[start])
            self.parts[-1] = "</td>"

    def handle_data(self, data: str) -> None:
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write(f"&#{name};")

    def _write(self, text: str) -> None:
        if not self.dropped:
            self.parts.append(text)
            self.words += text

    def _drops(self, tag: str, given: dict[str, str | None]) -> bool:
        # pandas has a scoped style of its own in each table, which would count for the whole page
        return tag in DROPPED or (tag == "style" and "scoped" in given)


def _tag(tag: str, given: dict[str, str | None]) -> str:
    said = "".join(f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in given.items())
    return f"<{tag}{said}>"
