"""Code, prose and outputs as HTML for a page: what a learner or a function wrote is text there, and loads nothing."""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments.lexers import PythonLexer

from .. import settings
from ..masks import masked
from ..pages import highlight
from ..watch.strings import visible
from . import harmless
from .notebooks import Section
from .strings import words

NARROW = 36  # characters that a phone shows in a line; what is wider scrolls in a box that keys can reach
PICTURE_FILE = re.compile(r"(?:\.\./)?(?P<path>(?:lessons|images)/[\w./-]+\.(?:svg|png))")
TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


def seen(text: str) -> str:
    """A text in which nothing hides: an escape stands for each character that cannot be seen."""
    return text if text.replace("\n", "").replace("\t", "").isprintable() else visible(text)


def code(text: str, file: str = "", marked: Sequence[int] = (), label: str = "") -> Markup:
    """Code with its words marked, in the language that the file's name tells, Python without one; and lines marked."""
    text = seen(text)
    lexer = highlight.lexer_of_file(file) if file else PythonLexer()
    return _box(highlight.marked(text, lexer, marked), text, label)


def plain(text: str) -> Markup:
    """A text as it is, its lines broken where they are too long."""
    return Markup('<pre class="said">{}</pre>').format(seen(text))


def table(html: str, label: str) -> Markup:
    return Markup('<div class="wide" tabindex="0" role="group" aria-label="{}">{}</div>').format(
        label,
        Markup(harmless.harmless(seen(html))),  # noqa: S704 - that is what it is for
    )


def _box(content: Markup, text: str, label: str) -> Markup:
    """In a box that scrolls; the Tab key stops there where there may be something to scroll."""
    is_wide = any(len(line) > NARROW for line in text.splitlines())
    reach = Markup(' tabindex="0" role="group" aria-label="{}"').format(label or words("code")) if is_wide else ""
    return Markup('<div class="box"{}>{}</div>').format(reach, content)


# prose


@dataclass
class Prose:
    """Renders the prose of one notebook, cell by cell."""

    page_of: Callable[[str], str | None]  # the page of another notebook, from its file's name
    level: int = 1  # of the last heading

    def cell(self, text: str, sections: Sequence[Section]) -> Markup:
        """The HTML of a cell, in which these sections begin: their headings are where links to them lead."""
        tokens = _parsed(text)
        waiting = list(sections)
        for place, token in enumerate(tokens):
            if token.type == "heading_open":
                # one below the title of the page, and never more than one below the heading before it
                self.level = min(int(token.tag[1]) + 1, self.level + 1, 6)
                token.tag = tokens[place + 2].tag = f"h{self.level}"
                if waiting and tokens[place + 1].content == waiting[0].heading:
                    token.attrSet("id", waiting.pop(0).anchor)
            elif token.type == "inline":
                token.children = [self._inline(child) for child in token.children or []]
        lost = Markup("").join(Markup('<span id="{}"></span>').format(each.anchor) for each in waiting)
        return lost + _rendered(tokens)

    def _inline(self, token: Token) -> Token:
        if token.type == "image":
            return _html(_picture(unquote(str(token.attrs.get("src", ""))), token.content))
        if token.type == "link_open":
            address = str(token.attrs.get("href", ""))
            if not re.match(r"https?://", address):
                page = self.page_of(Path(address.partition("#")[0]).name)
                token.attrs = {"href": page} if page else {}
        return token


def markdown_output(text: str) -> Markup:
    """Prose that code has made: without pictures, links and headings of its own."""
    tokens = _parsed(text)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.tag = tokens[place + 2].tag = "p"
        elif token.type == "inline":
            there = [each for each in token.children or [] if each.type not in ("link_open", "link_close")]
            token.children = [_html(escape(each.content)) if each.type == "image" else each for each in there]
    return _rendered(tokens)


def inline(text: str) -> Markup:
    """One paragraph of a lesson's prose, without links."""
    [token] = _markdown().parseInline(text)
    token.children = [each for each in token.children or [] if each.type not in ("link_open", "link_close", "image")]
    # markdown-it escapes, and takes no HTML from the text
    return Markup(_markdown().renderer.render([token], _markdown().options, {}))  # noqa: S704


def _parsed(text: str) -> list[Token]:
    return _markdown().parse(masked(seen(text)))


def _rendered(tokens: list[Token]) -> Markup:
    """Prose as HTML; code and tables in boxes of their own."""
    _mark_heads(tokens)
    for token in tokens:
        token.attrs.pop("style", None)  # which the page forbids
        for each in token.children or []:
            each.attrs.pop("title", None)
        if token.type in ("fence", "code_block"):
            token.type, token.content = "html_block", str(_fence(token))
        elif token.type == "table_open":
            opens = '<div class="wide" tabindex="0" role="group" aria-label="{}"><table>'
            token.type, token.content = "html_block", str(Markup(opens).format(words("table")))
        elif token.type == "table_close":
            token.type, token.content = "html_block", "</table></div>"
    markdown = _markdown()
    # markdown-it escapes, and takes no HTML from the text
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704


def _mark_heads(tokens: list[Token]) -> None:
    """A head of a table that says nothing is none; below one in the corner, the first of each row is the row's head."""
    has_corner, is_first = False, False
    for place, token in enumerate(tokens):
        is_empty = token.type == "th_open" and not tokens[place + 1].content
        if token.type == "table_open":
            has_corner = False
        if token.type == "tr_open":
            is_first = True
        elif token.type in ("th_open", "td_open"):
            if is_empty:
                token.tag = tokens[place + 2].tag = "td"
                has_corner = has_corner or is_first
            elif token.type == "td_open" and is_first and has_corner and tokens[place + 1].content:
                token.tag = tokens[place + 2].tag = "th"
                token.attrs = {"scope": "row"}
            is_first = False


def _picture(address: str, alt: str) -> Markup:
    """A picture of ours, in the page itself; of any other only its words."""
    found = PICTURE_FILE.fullmatch(address)
    path = (settings.NOTEBOOKS / found["path"]).resolve() if found else None
    if path is None or not path.is_relative_to(settings.NOTEBOOKS) or not path.is_file():
        return Markup('<em class="no-picture">{}</em>').format(words("picture.elsewhere", alt=alt))
    return Markup('<img src="{}" alt="{}">').format(_address(path), alt)


def _address(path: Path) -> str:
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _fence(token: Token) -> Markup:
    name = token.info.split()[0] if token.info.split() else "text"
    shown = highlight.marked(token.content, highlight.lexer_of_language(name))
    return _box(shown, token.content, words("code"))


def _html(text: str) -> Token:
    return Token("html_inline", "", 0, content=str(text))
