"""Code with its words marked, as HTML that Pygments makes; the text itself is escaped by it."""

from functools import lru_cache

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import JsonLexer, PythonLexer, TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound

MOST = 100_000  # characters whose words are marked: a page does not wait for more
LIGHT, DARK = "xcode", "monokai"  # the two of Pygments whose colours all have a contrast of 4.5:1 on our ground


@lru_cache(maxsize=256)
def python_cell(code: str) -> Markup:
    return _marked(code, PythonLexer())


def json_text(text: str) -> Markup:
    return _marked(text, JsonLexer())


def file_text(name: str, text: str) -> Markup:
    """The text of a file, in the language that its name tells."""
    try:
        lexer = get_lexer_for_filename(name)
    except ClassNotFound:
        lexer = TextLexer()
    return _marked(text, lexer)


def style_sheet() -> str:
    """The colours, for a light page and for a dark one."""
    styles = {"light": LIGHT, "dark": DARK}
    rules = {scheme: HtmlFormatter(style=style).get_style_defs(".code") for scheme, style in styles.items()}
    return "\n".join(f"@media (prefers-color-scheme: {scheme}) {{\n{each}\n}}" for scheme, each in rules.items())


def _marked(text: str, lexer: Lexer) -> Markup:
    lexer = lexer if len(text) <= MOST else TextLexer()
    return Markup(highlight(text, lexer, HtmlFormatter(cssclass="code", wrapcode=True)))  # noqa: S704 - Pygments escapes
