"""The whole site, made once and looked at: by its files, and in a real browser from a server and from the disk."""

import os
import re

import headless_chromium
import nbformat
import pytest
import web_site
from localaws_client import eventually

from helpers import settings
from helpers.commands import site as command
from helpers.installing.environment import EnvironmentProblem
from helpers.jupyter.notebook_files import WIDGET
from helpers.lessons import lesson, lessons
from helpers.site import building
from helpers.site import pages as site_pages
from helpers.site.links import Links
from helpers.site.outputs import Shown

pytestmark = pytest.mark.slow
LIMIT_S = 120
PAGES = ["index", *(each.stem for each in lessons())]
DARK = "localStorage.setItem('mode', arguments[0]); localStorage.setItem('theme', arguments[0])"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The site in a folder whose path has spaces, without a repository; Sphinx is added where it was not yet."""
    folder = tmp_path_factory.mktemp("a site") / "the workshop"
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("GITHUB_REPOSITORY", raising=False)
        try:
            assert command.write(folder, None) == 0
        except EnvironmentProblem as problem:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(problem))
    return folder


@pytest.fixture(scope="module")
def pages(made):
    return web_site.read(made)


@pytest.fixture(scope="module")
def driver(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1280,720")
    driver.set_page_load_timeout(LIMIT_S)
    driver.set_script_timeout(LIMIT_S)
    yield driver
    driver.quit()


@pytest.fixture(scope="module", params=["server", "disk"])
def address(request, made):
    if request.param == "disk":
        yield f"{made.as_uri()}/"
    else:
        with web_site.served(made) as found:
            yield found


def solution(of):
    return nbformat.read(of.solution_path, as_version=4)


def squashed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("of", lessons(), ids=lambda each: each.number)
def test_a_page_has_all_that_its_notebook_has_in_the_same_order(of, pages):
    page = pages[f"{of.stem}.html"]
    cells = [cell for cell in solution(of).cells if cell.cell_type == "code"]
    shown = [each for cell in cells for each in cell.outputs]
    parts = [cell.source for cell in cells] + [each.text for each in shown if each.output_type == "stream"]
    text = squashed(page.text)
    assert [part for part in parts if squashed(part) not in text] == []
    places = [text.index(squashed(cell.source)) for cell in cells if len(cell.source) > 200]
    assert places == sorted(places)
    folded = [cell for cell in cells if cell.metadata.get("jupyter", {}).get("source_hidden")]
    assert len([each for each in page.all("details") if "hide" in each.get("class", "")]) == len(folded)
    assert not any("open" in each for each in page.all("details"))


def test_every_picture_has_the_text_that_it_has_in_the_notebook(pages):
    for of in lessons():
        texts = [each["alt"] for each in pages[f"{of.stem}.html"].all("img") if each["src"].startswith("_images/")]
        outputs = [each for cell in solution(of).cells for each in cell.get("outputs", [])]
        alts = [
            next(filter(None, (each.metadata.get(kind, {}).get("alt") for kind in each.get("data", {}))), None)
            for each in outputs
        ]
        assert [alt for alt in alts if alt and " ".join(alt.split()) not in texts] == []
    assert [name for name, page in pages.items() if page.without_alt] == []


def test_no_link_is_dead_and_nothing_comes_from_elsewhere(made, pages):
    assert web_site.dead(made) == []
    for page in pages.values():
        asked = [*page.all("script"), *page.all("img"), *page.all("link"), *page.all("iframe")]
        assert [each for each in asked if "//" in each.get("src", each.get("href", ""))] == []
    for sheet in made.rglob("*.css"):
        for url in re.findall(r"url\(\s*['\"]?([^)'\"]+)", sheet.read_text(encoding="utf-8")):
            assert url.startswith("data:") or (sheet.parent / re.sub("[?#].*", "", url)).is_file(), (sheet, url)


def test_without_a_repository_nothing_offers_to_open_it_live(pages):
    links = {link for page in pages.values() for link in page.links}
    assert not any(re.search(r"mybinder\.org/v2|codespaces\.new", link) for link in links)


def test_next_leads_from_the_map_through_all_notebooks_and_back_again(pages):
    names = [f"{name}.html" for name in PAGES]

    def leads(name: str, kind: str) -> list[str]:
        return [each["href"] for each in pages[name].all("a") if each.get("class") == kind]

    for here, following in zip(names, [*names[1:], None], strict=True):
        assert leads(here, "right-next") == [following] * bool(following)
        assert here == names[0] or leads(here, "left-prev") == [names[names.index(here) - 1]]


def test_the_map_is_the_front_page(pages):
    page = pages["index.html"]
    for of in lessons():
        assert f"{of.stem}.html" in page.links
        assert squashed(f"{of.number}{of.title}{of.minutes}min") in squashed(page.text)


def test_the_same_workshop_makes_the_same_bytes(made, tmp_path):
    building.write(tmp_path / "again", None)

    one, other = (
        {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for folder in (made, tmp_path / "again")
    )
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def rich_notebook():
    """A page with the kinds of outputs and the Markdown that the notebooks may have one day."""
    colours = "".join(f"\x1b[{bold}{code}mcolour {code}\x1b[0m\n" for code in range(31, 38) for bold in ("", "1;"))
    wide = (
        "<table class='dataframe'><tr>" + "".join(f"<td>column{number}</td>" for number in range(60)) + "</tr></table>"
    )
    outputs = [
        nbformat.v4.new_output("stream", text=colours),
        nbformat.v4.new_output("stream", name="stderr", text="a warning\n"),
        nbformat.v4.new_output("error", ename="KeyError", evalue="'x'", traceback=["\x1b[31mKeyError\x1b[0m: 'x'"]),
        nbformat.v4.new_output("display_data", data={"text/html": wide}),
        nbformat.v4.new_output("display_data", data={"text/latex": "$x^2$", "text/plain": "x squared"}),
        nbformat.v4.new_output("display_data", data={WIDGET: {"model_id": "a"}, "text/plain": "A button"}),
        nbformat.v4.new_output("display_data", data={"application/json": {"a": 1}, "text/plain": "{'a': 1}"}),
    ]
    text = '# 04 Cold start\n\n{note}`kept` costs $5, or $6 at most -- "so"\n\n% kept, too\n\n(kept)=\n\n## Second'
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("f()", outputs=outputs)]
    return nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {"state": {"a": {}}}})


@pytest.fixture(scope="module")
def rich(made, tmp_path_factory):
    """A site of that notebook alone, whose repository is known."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "source").mkdir()
    page = site_pages.of_lesson(lesson("04"), rich_notebook(), Links("ada/workshop"), Shown())
    (folder / "source" / "rich.ipynb").write_text(nbformat.writes(page))
    (folder / "source" / "index.md").write_text("# Front\n\n```{toctree}\nrich\n```\n")
    python = settings.SITE_VENV / "bin" / "python"
    building.build(python, folder / "source", folder / "a site", "ada/workshop")
    return folder / "a site"


def test_kinds_of_outputs_that_need_more_are_shown_as_text_and_markdown_is_jupyters(rich):
    page = web_site.read(rich)["rich.html"]
    text = " ".join(page.text.split())
    shown = ["colour 31", "a warning", "KeyError: 'x'", "column59", "x squared", "A button", "{'a': 1}"]
    written = ['{note}kept costs $5, or $6 at most -- "so"', "% kept, too", "(kept)="]
    assert [each for each in shown + written if each not in text] == []
    assert "\x1b" not in page.text
    assert "https://github.com/ada/workshop" in page.links and "https://codespaces.new/ada/workshop" in page.links
    assert not any("//" in each.get("src", "") for each in page.all("script"))
    assert not re.search("mathjax|require.js|widget-view", (rich / "rich.html").read_text(), re.IGNORECASE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_their_colours_can_be_told_from_the_ground(driver, rich, axe, theme):
    with web_site.served(rich) as address:
        for _ in range(2):  # the second time in the theme that the first has chosen
            driver.get(f"{address}rich.html")
            driver.execute_script(DARK, theme)
        assert driver.execute_script("return document.documentElement.dataset.theme") == theme
        assert axe.problems(driver) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_no_other_host_is_asked(driver, made, axe, theme):
    with web_site.served(made) as address:
        driver.get(f"{address}index.html")
        driver.execute_script(DARK, theme)
        for name in [*PAGES, "search", "files/README.md"]:
            driver.get(f"{address}{name}.html")
            assert driver.execute_script("return document.documentElement.dataset.theme") == theme
            found = axe.problems(driver)
            assert (name, found) == (name, [])
            asked = driver.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
            assert [url for url in asked if not url.startswith((address, "data:"))] == []
    said = [each["message"] for each in driver.get_log("browser") if each["level"] == "SEVERE"]
    assert said == []


def test_search_finds_a_page_by_a_word(driver, address):
    driver.get(f"{address}01-what-is-lambda.html")
    eventually(lambda: driver.find_element("css selector", ".search-button__button").is_displayed(), LIMIT_S)
    driver.find_element("css selector", ".search-button__button").click()
    field = eventually(lambda: driver.find_element("css selector", "dialog[open] input[name=q]"), LIMIT_S)
    field.send_keys("provisioned\n")
    found = eventually(lambda: driver.find_elements("css selector", "#search-results li a"), LIMIT_S)
    assert "04-cold-start.html" in "".join(each.get_attribute("href") for each in found)
    first = next(each for each in found if "04-cold-start.html" in each.get_attribute("href"))
    first.click()
    eventually(lambda: driver.title.startswith("04 Cold start"), LIMIT_S)


def test_on_a_phone_a_page_is_no_wider_than_the_screen(driver, made):
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        for name in PAGES:
            driver.get(f"{made.as_uri()}/{name}.html")
            assert (name, driver.execute_script("return document.documentElement.scrollWidth")) == (name, 390)
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_replaces_its_own_folder(made, pages):
    assert (made / building.MARK).is_file()
    assert [each.name for each in made.parent.iterdir()] == [made.name]
    assert settings.SITE_VENV.is_dir()
