"""Text that may stand in an answer of XML: https://www.w3.org/TR/xml/#charsets."""

import re

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """The text without what XML cannot say, such as control characters."""
    return _ILLEGAL.sub("", text)
