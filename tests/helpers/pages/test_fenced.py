"""A text in a block of code, whatever it holds."""

import pytest
from markdown_it import MarkdownIt

from helpers.pages.fenced import fenced


@pytest.mark.parametrize("text", ["", "x = 1", "`a`", "```python\nx\n```", "`````\n```", "~~~", "  # no heading\n"])
def test_a_text_is_one_block_with_all_of_it(text):
    [block] = MarkdownIt("commonmark").parse(fenced(text, "python"))
    assert (block.type, block.info, block.content) == ("fence", "python", f"{text}\n")
