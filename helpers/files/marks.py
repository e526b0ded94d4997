"""The part of a page between two marks, each a line of its own, that a command writes; what is around it stays."""

import re


def between(begin: str, end: str) -> re.Pattern[str]:
    """What finds that part, with the end of its last line."""
    return re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
