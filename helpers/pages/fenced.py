"""Shows a text in Markdown as it is, in a block of code that nothing in it can end. Standard library only."""

import re


def fenced(text: str, language: str = "") -> str:
    """The block: its fence is longer than every row of ` in the text."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"
