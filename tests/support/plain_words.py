"""Words that readers whose language is not English stumbled over, each with a plain one."""

import re

PLAIN = {
    "dear": "expensive",
    "dearer": "more expensive",
    "dearest": "most expensive",
    "mend": "fix",
    "mends": "fixes",
    "mended": "fixed",
    "mending": "fix",
    "in vain": "without a result",
    "sent home": "stopped",
    "given up": "discarded",
    "torn": "damaged",
}
WORDS = re.compile(rf"\b(?:{'|'.join(PLAIN)})\b", re.IGNORECASE)


def puzzling(text: str) -> list[str]:
    """Each such word of a text, with what to write in its place."""
    return [f"{word}: write {PLAIN[word.lower()]}" for word in WORDS.findall(text)]
