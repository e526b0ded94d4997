"""Makes HTML of a notebook's output harmless: a few tags without attributes stay, and the text of the others.

Whatever it is given, what comes out has no script, no style, no address and no tag that is not closed.
"""

import re
from html import escape
from html.parser import HTMLParser

TAGS = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "p", "pre", "code", "b", "strong", "i", "em"}
TAGS |= {"ul", "ol", "li"}
LEFT_OUT = {"script", "style", "template", "iframe", "object", "noscript", "title", "textarea", "select", "svg", "math"}
# Where a tag may stand; elsewhere it would leave our own table, or be moved by the browser.
INSIDE = {
    **dict.fromkeys(("thead", "tbody", "tfoot", "caption"), ("table",)),
    "tr": ("thead", "tbody", "tfoot", "table"),
    **dict.fromkeys(("th", "td"), ("tr",)),
    "li": ("ul", "ol"),
}


def harmless(html: str) -> str:
    """The same as HTML that can stand in any page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.whole()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._made: list[str] = []
        self._open: list[str] = []
        self._left_out: list[str] = []

    def whole(self) -> str:
        while self._open:
            self._made.append(f"</{self._open.pop()}>")
        # a head of a table that says nothing is no head
        return re.sub(r"<th>\s*</th>", "<td></td>", "".join(self._made))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._left_out or tag in LEFT_OUT:
            self._left_out.append(tag)
        elif tag == "br":
            self._made.append("<br>")
        elif tag in TAGS and self._fits(tag):
            self._made.append(f"<{tag}>")
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in LEFT_OUT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._left_out:
            if tag in self._left_out:
                while self._left_out.pop() != tag:
                    continue
        elif tag in self._open:
            while (ended := self._open.pop()) != tag:
                self._made.append(f"</{ended}>")
            self._made.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        # between the rows of a table there is only space
        if not self._left_out and (data.strip() or (self._open and self._open[-1] in ("td", "th", "pre", "code"))):
            self._made.append(escape(data))

    def _fits(self, tag: str) -> bool:
        parents = INSIDE.get(tag)
        return parents is None or bool(self._open and self._open[-1] in parents)
