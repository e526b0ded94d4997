"""Code with its words marked, as HTML that Pygments makes; the text itself is escaped by it."""

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import JsonLexer, PythonLexer, TextLexer, get_lexer_by_name, get_lexer_for_filename
from pygments.util import ClassNotFound

MOST = 100_000  # characters whose words are marked: a page does not wait for more
LIGHT, DARK = "xcode", "monokai"  # the two of Pygments whose colours all have a contrast of 4.5:1 on our ground


@lru_cache(maxsize=256)
def python_cell(code: str) -> Markup:
    return marked(code, PythonLexer())


def json_text(text: str) -> Markup:
    return marked(text, JsonLexer())


def file_text(name: str, text: str) -> Markup:
    """The text of a file, in the language that its name tells."""
    return marked(text, lexer_of_file(name))


def lexer_of_file(name: str) -> Lexer:
    try:
        return get_lexer_for_filename(name)
    except ClassNotFound:
        return TextLexer()


def lexer_of_language(name: str) -> Lexer:
    try:
        return get_lexer_by_name(name)
    except ClassNotFound:
        return TextLexer()


def style_sheet() -> str:
    """The colours: for paper and light screens, and for dark ones."""
    light, dark = (HtmlFormatter(style=style).get_style_defs(".code") for style in (LIGHT, DARK))
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def marked(text: str, lexer: Lexer, lines: Sequence[int] = ()) -> Markup:
    """A text with its words marked, and these of its lines, from 1."""
    lexer = lexer if len(text) <= MOST else TextLexer()
    formatter = HtmlFormatter(cssclass="code", wrapcode=True, hl_lines=list(lines))
    return Markup(highlight(text, lexer, formatter))  # noqa: S704 - Pygments escapes
