"""Sphinx's settings for the site. Sphinx reads this in its own environment, not in the workshop's."""

import itertools
import re
from typing import Any

project = "AWS Lambda, hands on"
root_doc = "index"
language = "en"
extensions = ["myst_nb", "sphinx.ext.githubpages"]  # the second has GitHub serve folders that begin with _
exclude_patterns = ["as-they-are"]

nb_execution_mode = "off"
nb_render_markdown_format = "gfm"
nb_ipywidgets_js: dict[str, Any] = {}  # which come from another host
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_all_links_external = True  # links.py has followed them
myst_heading_anchors = 6
smartquotes = False  # a page says what the notebook says

html_theme = "pydata_sphinx_theme"
html_title = project
html_favicon = "static/favicon.svg"
html_copy_source = False
html_show_copyright = False
html_use_index = False
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = ["templates"]
html_sidebars = {"**": ["map"]}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_center": [],
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_end": [],
    "show_toc_level": 1,
    "search_bar_text": "Search the workshop",
}


def with_row_headers(table: str) -> str:
    """A table whose header has no words somewhere: that names nothing, so it is a cell; the first column names rows."""
    head = re.sub(r'<th class="head[^"]*">(?:<p></p>)?\s*</th>', "<td></td>", table)
    if head == table:
        return table
    head, begin, body = head.partition("<tbody>")
    first = re.compile(r"(<tr[^>]*>\s*)<td([^>]*)>(.*?)</td>", re.DOTALL)
    return head + begin + first.sub(r'\1<th scope="row"\2>\3</th>', body)


def accessible(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Change what axe-core objects to in what Sphinx and myst-nb make of a page."""
    if "body" not in context:
        return
    body = re.sub("<table.*?</table>", lambda table: with_row_headers(table[0]), context["body"], flags=re.DOTALL)
    # beside the words on it, which say more: "Show the code"
    body = body.replace(' aria-label="Toggle hidden content"', "")
    # what can have the focus, as it scrolls where it is wide, has a name
    number = itertools.count(1)
    scrolls = r'<div(?= class="output text_html"| [^>]*tabindex="0")'
    context["body"] = re.sub(scrolls, lambda _: f'<div role="region" aria-label="Output {next(number)}"', body)


def setup(app: Any) -> None:
    app.connect("html-page-context", accessible)
