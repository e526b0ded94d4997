"""Whatever HTML an output holds, a few tags without attributes are what comes out of it."""

import re

import pytest

from helpers.review.harmless import TAGS, harmless


@pytest.mark.parametrize(
    "html, made",
    [
        ("<b>bold</b> &amp; <i>not</i>", "<b>bold</b> &amp; <i>not</i>"),
        ("<table class='x'><tr><th>&nbsp;</th><th>n</th></tr></table>", "<table><tr><td></td><th>n</th></tr></table>"),
        ("<script>alert(1)</script>after", "after"),
        ("<style>th { color: red }</style>after", "after"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("<p onclick='alert(1)' style='position:fixed'>x</p>", "<p>x</p>"),
        ("<a href='javascript:alert(1)'>link</a>", "link"),
        ("<svg><script>alert(1)</script><text>no</text></svg>after", "after"),
        ("</td></table></main>x", "x"),
        ("<table><tr><td>open", "<table><tr><td>open</td></tr></table>"),
        ("<td>alone</td>", "alone"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<!-- <script>alert(1)</script> -->x", "x"),
        ("a<br>b<br/>c", "a<br>b<br>c"),
        ("<scr<script>ipt>alert(1)</script>x", "ipt&gt;alert(1)x"),
    ],
)
def test_what_becomes_of(html, made):
    assert harmless(html) == made


@pytest.mark.parametrize("html", ["<", "<!", "<b", "&#x0;", "<a" * 2000, "<table>" * 500, "<svg>" * 500 + "x", "]]>"])
def test_what_comes_out_has_our_tags_alone_and_closes_them(html):
    made = harmless(html)
    tags = re.findall(r"<(/?)(\w+)([^>]*)>", made)
    assert {name for _, name, _ in tags} <= TAGS | {"br"} and all(not rest for _, _, rest in tags)
    assert sum(1 for slash, _, _ in tags if slash) == sum(1 for slash, name, _ in tags if not slash and name != "br")
    assert "<" not in re.sub(r"</?\w+>", "", made)
