"""Outputs as the site shows them: no kernel, no scripts, a text for each picture, and tables that can be read aloud."""

import base64

import nbformat
import pytest

from helpers.jupyter.notebook_files import WIDGET
from helpers.site.outputs import Shown, accessible

PNG = base64.b64encode(b"\x89PNG").decode()


def shown(data: dict, metadata: dict | None = None) -> tuple[dict, Shown]:
    output = nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})
    of = Shown()
    of.change([output], lambda text: f"<{text}>", lambda href: None if href == "dead" else f"to/{href}")
    assert output.metadata == {}
    return dict(output.data), of


@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml"])
def test_a_picture_is_a_file_with_its_text(kind):
    alt = "Cold [init]: 54 *times* as\nlong"
    data, of = shown({kind: PNG, "text/plain": "<Figure>"}, {kind: {"alt": alt}})
    [place] = of.pictures
    assert place.startswith("pictures/") and place.endswith({"image/png": ".png"}.get(kind, ".svg"))
    assert data == {"text/markdown": rf"![Cold \[init\]\: 54 \*times\* as long](/{place})"}
    assert of.pictures[place] == (b"\x89PNG" if kind == "image/png" else PNG.encode())


def test_a_picture_without_a_text_of_its_own_has_that_of_the_output():
    data, _ = shown({"image/png": PNG, "text/plain": "An index of three pages"})
    assert data["text/markdown"].startswith("![An index of three pages](/")


def test_a_widget_is_its_picture_or_its_text():
    svg = {"image/svg+xml": "<svg/>", "text/plain": "two"}
    assert "text/markdown" in shown({WIDGET: {"model_id": "a"}, **svg})[0]
    assert shown({WIDGET: {"model_id": "a"}, "text/plain": "What?"})[0] == {"text/plain": "What?"}
    assert shown({WIDGET: {"model_id": "a"}})[0] == {"text/plain": ""}


@pytest.mark.parametrize("kind", ["text/latex", "application/javascript", "application/json"])
def test_what_needs_a_script_is_its_text(kind):
    assert shown({kind: "x", "text/plain": "plain"})[0] == {"text/plain": "plain"}


def test_markdown_gets_the_links_of_the_site():
    assert shown({"text/markdown": "words", "text/plain": "x"})[0] == {"text/markdown": "<words>"}


def test_a_stream_and_an_error_stay():
    outputs = [nbformat.v4.new_output("stream", text="\x1b[31mred\x1b[0m"), nbformat.v4.new_output("error", ename="E")]
    before = [dict(each) for each in outputs]
    Shown().change(outputs, str, str)
    assert [dict(each) for each in outputs] == before


def test_a_table_names_no_empty_header_and_has_no_style_for_the_whole_page():
    table = (
        '<div>\n<style scoped>\n .dataframe th { vertical-align: top; }\n</style>\n<table border="1" class="dataframe">'
        '<thead><tr style="text-align: right;"><th></th><th>ms</th></tr><tr>'
        '<th class="blank">&nbsp;</th><th>a &lt; b</th>'
        "</tr></thead><tbody><tr><th>0</th><td>1 &amp; 2<br></td></tr></tbody></table></div>"
    )
    assert accessible(table, str) == (
        '<div>\n\n<table class="dataframe"><thead><tr style="text-align: right;"><td></td><th>ms</th></tr>'
        '<tr><td class="blank">&nbsp;</td><th>a &lt; b</th></tr></thead>'
        "<tbody><tr><th>0</th><td>1 &amp; 2<br></td></tr></tbody></table></div>"
    )


def test_pandas_own_style_of_one_table_stays():
    html = '<style type="text/css">\n#T_1 td > p { color: red }\n</style>\n<table id="T_1"></table>'
    assert accessible(html, str) == html


@pytest.mark.parametrize("style", ["max-height: 28em; overflow-y: auto", "overflow:scroll"])
def test_what_scrolls_can_be_reached_by_keyboard(style):
    assert accessible(f'<div style="{style}">x</div>', str) == f'<div style="{style}" tabindex="0">x</div>'


def test_nothing_runs_or_asks_another_host():
    html = (
        '<p onclick="go()">a<script>if (1 < 2) { "</p>" }</script><link href="https://x.test/a.css" rel="stylesheet">'
        '<iframe src="https://x.test"><b>no</b></iframe>b</p>'
    )
    assert accessible(html, str) == "<p>ab</p>"


def test_links_are_the_sites_and_a_dead_one_is_its_words():
    html = '<a href="x">one</a> <a href="dead"><b>two</b></a> <svg viewBox="0 0 1 1"><path d="M0 0"/></svg>'
    follow = {"x": "x.html"}.get
    assert accessible(html, follow) == (
        '<a href="x.html">one</a> <b>two</b> <svg viewbox="0 0 1 1"><path d="M0 0"></path></svg>'
    )
