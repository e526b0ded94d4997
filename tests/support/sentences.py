"""Whether what a reader gets to read has a doubled punctuation mark, as "torn picture,," or "did you mean this?."."""

import re

# What is not ours to punctuate: code, what is quoted, addresses, and marks that belong to an abbreviation.
APART = re.compile(
    r"```.*?```|`[^`]*`|(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"|\w+://\S+"
    r"|\.{3}|\?\?|::|event:, context:|\b(?:e\.g|i\.e|etc|vs|[ap]\.m|U\.S)\.",
    re.DOTALL,
)
DOUBLED = re.compile(r"\S*(?:[,;:] ?[,;:.?!]|[.?!][,;:.?!])(?=\s|$)")


def doubled(text: str) -> list[str]:
    """Each word of a text after which two marks meet that are not one."""
    return DOUBLED.findall(APART.sub("x", text))
