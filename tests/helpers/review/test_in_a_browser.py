"""The review in a real browser, opened as a file: for everybody, at each size of window, in the dark and on paper."""

import base64

import headless_chromium
import long_session
import pypdfium2
import pytest
from kept_session import KeptSession, output

from helpers import review

SIZES = {"a laptop": (1280, 720), "at 125 %": (1024, 576), "a phone": (390, 844)}
LONG = "x = " + " + ".join(f"number_{n}" for n in range(60)) + "  # ENDOFTHELINE"
WIDE = "W" * 300
# It wants a landmark around each thing that scrolls; a hundred of them would help nobody who goes from one to the next.
BUT = ("focus-order-semantics",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The review of an evening, with a line, a word and a table that are wider than any window."""
    home = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSHOP_HOME", str(home))
        kept = KeptSession(home)
        long_session.make(kept)
        kept.attempt("04.4", False, f"Not yet. {WIDE}", f"def shift(part):\n    {LONG}\n")
        kept.guess("04.a", WIDE, "9 times")
        columns = [f"column_{n}" for n in range(30)]
        kept.note("table", "04", name="wide", columns=columns, rows=[[WIDE, *range(29)]], total=1)
        notebook = kept.notebook("08")
        cell = next(each for each in notebook["cells"] if each["cell_type"] == "code")
        cell["source"], cell["outputs"] = LONG, [{"output_type": "stream", "name": "stdout", "text": WIDE}]
        row = "".join(f"<td>{WIDE[:20]}</td>" for _ in range(30))
        cell["outputs"].append(output(text_html=f"<table><tr>{row}</tr></table>"))
        kept.keep("08", notebook)
        kept.write_line("{ damaged")
        assert review.write(home / "review") and review.write(home / "deck", deck=True)
    return home


@pytest.fixture(scope="module")
def driver(needs, tmp_path_factory):
    driver = headless_chromium.start(needs, tmp_path_factory.mktemp("chromium"), "1280,720")
    yield driver
    said = [each["message"] for each in driver.get_log("browser") if each["level"] in ("SEVERE", "WARNING")]
    driver.quit()
    assert said == []


def open_page(driver, path, width: int = 1280, height: int = 720, scheme: str = "light") -> None:
    sizes = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", sizes)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [feature]})
    driver.get(path.as_uri())


PAGES = ("review/index.html", "deck/index.html", "review/notebooks/04-cold-start.html", "review/notebooks/08-xaas.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(driver, axe, folder, page, scheme):
    open_page(driver, folder / page, scheme=scheme)
    assert axe.problems(driver, BUT) == []


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_only_what_is_wide_scrolls_sideways(driver, folder, page, size):
    open_page(driver, folder / page, *size)
    wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert driver.execute_script(wider) <= 0
    boxes = """return [...document.querySelectorAll('.box, .wide')].filter((each) =>
      each.scrollWidth > each.clientWidth + 1 && each.tabIndex < 0).map((each) => each.textContent.slice(0, 80))"""
    assert driver.execute_script(boxes) == []
    cut = """return [...document.querySelectorAll('main :is(h1, h2, h3, h4, h5, p, li, dd, td, th, img, pre.said)')]
      .filter((each) => !each.closest('.box, .wide') && each.getBoundingClientRect().right > innerWidth + 1)
      .map((each) => each.outerHTML.slice(0, 80))"""
    assert driver.execute_script(cut) == []


def test_axe_finds_nothing_on_a_phone(driver, axe, folder):
    open_page(driver, folder / PAGES[0], *SIZES["a phone"])
    assert axe.problems(driver, BUT) == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_loaded_and_every_picture_is_shown(driver, folder, page):
    open_page(driver, folder / page)
    loaded = driver.execute_script(
        "return performance.getEntriesByType('resource').map((each) => each.name.slice(0, 60))"
    )
    assert [each for each in loaded if not each.startswith("data:")] == []
    broken = (
        "return [...document.images].filter((each) => !each.complete || !each.naturalWidth).map((each) => each.alt)"
    )
    assert driver.execute_script(broken) == []
    assert driver.execute_script("return document.scripts.length") == 0


def test_a_script_that_got_into_a_page_would_not_run(driver, folder, tmp_path):
    text = (folder / PAGES[0]).read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(text.replace("</main>", '<script>document.title = "run"</script></main>'), encoding="utf-8")
    open_page(driver, spoilt)
    assert driver.title != "run"
    refused = [each["message"] for each in driver.get_log("browser")]
    assert any("Content Security Policy" in each for each in refused)


def test_the_keyboard_leads_to_what_matters(driver, folder):
    from selenium.webdriver.common.keys import Keys

    open_page(driver, folder / PAGES[0])
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Go to the content"
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert driver.current_url.endswith("#content")
    driver.find_element("css selector", ".things a").click()
    assert "/notebooks/" in driver.current_url
    at_heading = (
        "const at = document.querySelector(':target'); return at.tagName + ' ' + at.getBoundingClientRect().top"
    )
    tag, top = driver.execute_script(at_heading).split()
    assert tag == "H3" and -1 <= float(top) < 720


@pytest.mark.parametrize("page", PAGES)
def test_on_paper_no_letter_is_cut_off(driver, folder, page):
    open_page(driver, folder / page)
    printed = driver.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "paperWidth": 8.27, "paperHeight": 11.69}
    )
    document = pypdfium2.PdfDocument(base64.b64decode(printed["data"]))
    assert len(document) > 1
    text = ""
    for sheet in document:
        width, height = sheet.get_size()
        letters = sheet.get_textpage()
        for place in range(letters.count_chars()):
            left, bottom, right, top = letters.get_charbox(place)
            assert left >= 0 and right <= width and bottom >= 0 and top <= height
        text += letters.get_text_range()
    plain = "".join(text.split())
    assert "".join(driver.execute_script("return document.querySelector('h1').textContent").split()) in plain
    if "notebooks/04" not in page:
        assert "ENDOFTHELINE" in plain and plain.count("W") >= 600
