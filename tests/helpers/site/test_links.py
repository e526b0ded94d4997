"""Links of the workshop's texts, as the site has them: to pages, to GitHub, or none, but never to what is not there."""

import pytest

from helpers import settings
from helpers.lessons import lesson
from helpers.site.links import Links, Place, slug

SOLUTIONS = settings.NOTEBOOKS / "solutions"
FOUR = Place(SOLUTIONS, "04-cold-start.ipynb")
README = Place(settings.ROOT, "files/README.md.ipynb")
ON_GITHUB = "https://github.com/ada/lambda-workshop"


@pytest.fixture
def links() -> Links:
    return Links(None)


@pytest.fixture
def published() -> Links:
    return Links("ada/lambda-workshop")


@pytest.mark.parametrize(
    ("href", "to"),
    [
        ("02-scaling.ipynb", "02-scaling.html"),
        ("../02-scaling.ipynb", "02-scaling.html"),
        ("02-scaling.ipynb#A-cap:-reserved-concurrency", "02-scaling.html#a-cap-reserved-concurrency"),
        ("#What-a-cold-start-is", "#what-a-cold-start-is"),
        ("../solutions", "index.html"),
        ("https://docs.aws.amazon.com/lambda/#a", "https://docs.aws.amazon.com/lambda/#a"),
        ("mailto:ada@example.org", "mailto:ada@example.org"),
    ],
)
@pytest.mark.parametrize("repository", [None, "ada/lambda-workshop"])
def test_a_notebook_is_its_page_and_the_web_stays(href, to, repository):
    assert Links(repository).follow(href, FOUR) == to


@pytest.mark.parametrize(
    "href",
    [
        "http://127.0.0.1:4566/",
        "http://localhost:8888/lab",
        "file:///etc/hosts",
        "../../work/labs/09/python/other.py",
        "../../.venv/bin/python",
        "../../../elsewhere.md",
        "no-such-file.json",
        "",
    ],
)
def test_what_no_reader_of_the_site_has_is_no_link(href, links, published):
    assert links.follow(href, FOUR) is None
    assert published.follow(href, FOUR) is None
    assert links.files == {}


def test_another_file_is_on_github_or_has_a_page_of_its_own(links, published):
    href = "../../events/hello.json"
    assert published.follow(href, FOUR) == f"{ON_GITHUB}/blob/HEAD/events/hello.json"
    assert published.follow(f"{href}#L3-L5", FOUR) == f"{ON_GITHUB}/blob/HEAD/events/hello.json#L3-L5"
    assert published.files == {}
    assert links.follow(href, FOUR) == "files/events/hello.json.html"
    assert links.files == {"files/events/hello.json.ipynb": settings.EVENTS / "hello.json"}


def test_a_page_further_down_leads_up(links):
    assert links.follow("notebooks/04-cold-start.ipynb", README) == "../04-cold-start.html"
    assert links.follow("CONTRIBUTING.md#words", README) == "../files/CONTRIBUTING.md.html#words"
    assert links.follow("LICENSE#L3", README) == "../files/LICENSE.html"


def test_a_folder_is_on_github_alone(links, published):
    assert published.follow("../../events", FOUR) == f"{ON_GITHUB}/tree/HEAD/events"
    assert links.follow("../../events", FOUR) is None


def test_a_learners_file_of_a_lab_is_its_solution(published):
    lab = lesson("09").lab.relative_to(settings.ROOT).as_posix()
    found = published.follow("../../work/labs/09/python/app.py", FOUR)
    assert found == f"{ON_GITHUB}/blob/HEAD/{lab}/python/app.py"


def test_markdown_keeps_its_words_where_it_loses_a_link(links):
    text = (
        'See [notebook *02*](02-scaling.ipynb), [`a`](http://127.0.0.1:1/x "here"), [b [c]](nowhere.txt) and\n\n'
        "[ref]: 03-billing.ipynb\n\n[the third][ref]"
    )
    assert links.in_markdown(text, FOUR) == (
        "See [notebook *02*](02-scaling.html), `a`, b [c] and\n\n[ref]: 03-billing.html\n\n[the third][ref]"
    )


def test_a_picture_comes_along(links):
    text = "![You invoke it](../lessons/09-slack/picture.svg)"
    assert links.in_markdown(text, FOUR) == "![You invoke it](pictures/notebooks/lessons/09-slack/picture.svg)"
    assert list(links.pictures.values()) == [lesson("09").folder / "picture.svg"]


def test_code_that_looks_like_a_link_stays(links):
    text = "`[x](y.ipynb)` and\n\n```\n[x](y.ipynb)\n```"
    assert links.in_markdown(text, FOUR) == text


@pytest.mark.parametrize(
    ("heading", "id_"),
    [("04.2 Reuse", "042-reuse"), ("What-a-cold-start-is", "what-a-cold-start-is"), ("A & b", "a--b")],
)
def test_the_id_of_a_heading(heading, id_):
    assert slug(heading) == id_
