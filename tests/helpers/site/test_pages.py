"""The pages of the site before Sphinx reads them: what is folded, what opens it live, files, and the front page."""

import nbformat
import pytest

from helpers import settings
from helpers.lessons import lesson, lessons
from helpers.site import pages
from helpers.site.links import Links
from helpers.site.outputs import Shown

ADA = "ada/lambda-workshop"


def page(*cells, repository=None):
    heading = nbformat.v4.new_markdown_cell("# 04 Cold start\n\nAfter this notebook, [02](02-scaling.ipynb).")
    notebook = nbformat.v4.new_notebook(cells=[heading, *cells], metadata={"widgets": {"state": {}}})
    before = nbformat.writes(notebook)
    made = pages.of_lesson(lesson("04"), notebook, Links(repository), Shown())
    assert nbformat.writes(notebook) == before
    return made


def test_code_that_was_folded_away_is_folded_away():
    drawing = nbformat.v4.new_code_cell("draw()", metadata={"jupyter": {"source_hidden": True}})
    made = page(drawing, nbformat.v4.new_code_cell("call()", metadata={"tags": ["raises-exception"]}))
    assert [cell.metadata for cell in made.cells[1:]] == [{"tags": [pages.FOLDED]}, {}]
    assert made.cells[1].source == "draw()"
    assert "widgets" not in made.metadata


def test_a_notebook_is_opened_live_where_its_repository_is_known():
    [opening] = page(repository=ADA).cells
    assert opening.source == (
        "# 04 Cold start\n\nOpen it live, in [GitHub Codespaces](https://codespaces.new/ada/lambda-workshop) or "
        "[Binder](https://mybinder.org/v2/gh/ada/lambda-workshop/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2F04-cold-start"
        ".ipynb), or see [the notebook on GitHub](https://github.com/ada/lambda-workshop/blob/HEAD/notebooks/"
        "04-cold-start.ipynb).\n\nAfter this notebook, [02](02-scaling.html)."
    )
    assert page().cells[0].source == "# 04 Cold start\n\nAfter this notebook, [02](02-scaling.html)."


@pytest.mark.parametrize(
    ("name", "language"), [("app.py", "python"), ("hello.json", "json"), ("index.mjs", "javascript"), ("NOTES", "text")]
)
def test_a_file_is_shown_as_it_is_written(tmp_path, monkeypatch, name, language):
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    file = tmp_path / "deep" / name
    file.parent.mkdir()
    file.write_text("a = '```'\n# [x](y.md)\n")
    [cell] = pages.of_file(file, f"files/deep/{name}.ipynb", Links(None)).cells
    assert cell.source == f"# {name}\n\n`deep/{name}`\n\n````{language}\na = '```'\n# [x](y.md)\n````"


def test_markdown_is_a_page_whose_links_lead_on():
    links = Links(None)
    [cell] = pages.of_file(settings.ROOT / "README.md", "files/README.md.ipynb", links).cells
    assert "](../04-cold-start.html)" in cell.source
    assert links.files["files/CONTRIBUTING.md.ipynb"] == settings.ROOT / "CONTRIBUTING.md"


def test_what_is_no_text_is_a_download():
    links, jar = Links(None), lesson("00").folder / "functions" / "hello" / "java" / "lib" / "hello.jar"
    path = jar.relative_to(settings.ROOT).as_posix()
    [cell] = pages.of_file(jar, f"files/{path}.ipynb", links).cells
    assert cell.source.endswith(f"holds no text: [hello.jar](../../../../../../../../files/{path})")
    assert links.downloads == {f"files/{path}": jar}


@pytest.mark.parametrize("repository", [None, ADA])
def test_the_front_page_is_the_map(repository):
    opening, about, table, contents = (cell.source for cell in pages.front(lessons(), Links(repository)).cells)
    assert opening.startswith("# AWS Lambda, hands on\n") and "no AWS account" in opening and "![" not in opening
    assert ("codespaces.new" in about) == bool(repository)
    assert table.count("\n") == len(lessons()) + 1
    assert "| [04 Cold start](04-cold-start.html) | 60&nbsp;min | say what happens" in table
    places = [contents.index(f"{each.number} {each.title} </{each.stem}>") for each in lessons()]
    assert places == sorted(places)
