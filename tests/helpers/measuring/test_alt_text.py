"""Every picture of the workshop has an alternative text: a chart's own titles, or what its notebook gives."""

import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats

from helpers import lessons
from helpers.measuring import alt_text

LESSONS = lessons.lessons()


@pytest.fixture
def figure():
    figure, (left, right) = plt.subplots(1, 2)
    figure.suptitle("Direct loses 8 of 30")
    left.set(xlabel="failed calls")
    right.set_title("the proxy\nloses none")
    right.set_ylabel("orders")
    yield figure
    plt.close(figure)


def test_a_chart_is_said_by_its_titles_and_axes(figure):
    wanted = "Direct loses 8 of 30. the proxy loses none. Across: failed calls. Upward: orders."
    assert alt_text.of(figure) == wanted


def test_a_notebook_shows_a_figure_with_this_text_whatever_draws_it(figure, monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr(alt_text, "get_ipython", lambda: shell)
    alt_text.install()
    select_figure_formats(shell, ["png"])  # as the inline backend does, which may come later
    data, metadata = shell.display_formatter.format(figure)
    assert data["image/png"]
    assert metadata == {"image/png": {"alt": alt_text.of(figure)}}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_nbconvert_misses_no_alternative_text(lesson):
    from nbconvert import HTMLExporter

    # of nbconvert's own templates this one reads the metadata
    exporter = HTMLExporter(template_name="classic")
    notebook = nbformat.read(lesson.solution_path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = ""  # there is no picture in it, and its colours take their time
    page, _ = exporter.from_notebook_node(notebook)
    images = re.findall(r"<img\b[^>]*>", page, re.DOTALL)
    images = [image for image in images if "data:image/svg+xml" not in image]  # to these it never gives one
    said = re.compile(r"""\balt=(?:"[^"]{20,}"|'[^']{20,}')""")
    bad = [image[:200] for image in images if not said.search(image) or "No description has been" in image]
    assert bad == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_still_picture_says_in_itself_what_it_shows(lesson):
    outputs = [
        each for cell in nbformat.read(lesson.solution_path, as_version=4).cells for each in cell.get("outputs", ())
    ]
    for output in (each for each in outputs if "image/svg+xml" in each.get("data", {})):
        picture = ElementTree.fromstring(output.data["image/svg+xml"])
        assert picture.get("role") == "img"
        assert picture.get("aria-label") == output.metadata["image/svg+xml"]["alt"] == output.data["text/plain"]
        assert len(picture.get("aria-label")) > 20
