"""The folder that is written: what was kept is in it, all its links lead somewhere, and nothing in it runs."""

import os
import re
import stat
from pathlib import Path

import long_session
import pytest
import web_site
from kept_session import output, picture
from plain_words import puzzling
from sentences import doubled

from helpers import review
from helpers.commands import review as command
from helpers.review import ReviewError, markup
from helpers.review.strings import CATALOGUE

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`{{ 1234 * 1234 }}{% raw %}</td></main>\u202eevil\x00]]>"
)
HOOK = "https://hooks.slack.com/services/" + "T0000/B0000/" + "x" * 24
ACCOUNT = "123456789012"


def written(kept, **options) -> web_site.Page:
    assert review.write(kept.home / "review", **options)
    pages = web_site.read(kept.home / "review")
    assert web_site.dead(kept.home / "review") == []
    assert [name for name, page in pages.items() if len(page.ids) != len(set(page.ids))] == []
    return pages["index.html"]


def text_of(page: web_site.Page) -> str:
    return " ".join(page.text.split())


def test_an_empty_session_is_one_sentence(kept, capsys):
    assert command.write(None, False) == 0
    page = web_site.Page(kept.home / "review" / "index.html")
    sentence = "There is nothing to go over yet: run some cells of a notebook first, with python3 -m helpers lab."
    assert sentence in text_of(page) and capsys.readouterr().err.strip() == sentence
    assert os.listdir(kept.home / "review") == ["index.html"]


def test_the_command_prints_where_the_page_is(kept, capsys):
    kept.section("04", "After a rest")
    assert command.write(kept.home / "there", True) == 0
    assert capsys.readouterr().out.strip() == str(kept.home / "there" / "index.html")
    assert (kept.home / "there" / "index.html").is_file()


@pytest.fixture
def evening(kept):
    long_session.make(kept)
    return kept


def test_a_whole_session(evening):
    page = written(evening)
    text = text_of(page)
    assert "The five things to look at again" in text and "Exercise 03.3 is not solved; you checked it 5 times." in text
    assert "0 of 0" not in text and "; less than a minute from the first check to the one that passed." in text
    assert "02 Scaling" in text and "Your answer" in text and "The reference" in text
    assert "412 invocations of 9 functions: 0.00012345 USD" in text
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(two - one <= 1 for one, two in zip(page.headings, page.headings[1:], strict=False))
    assert sum(address.startswith("data:image/") for address in page.links) > 10
    assert {each.name for each in (evening.home / "review" / "notebooks").iterdir()} == {
        path.with_suffix(".html").name for path in (evening.home / "notebooks").iterdir()
    }
    for path in (evening.home / "review").rglob("*.html"):
        each = web_site.Page(path)
        assert each.runs == [] and each.without_alt == [] and ACCOUNT not in each.text


def test_copies_that_a_reset_has_put_aside_have_pages_of_their_own(kept):
    notebook = kept.notebook("04")
    first = next(each for each in notebook["cells"] if each["cell_type"] == "code")
    first["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "as it was measured"}, picture("A chart.")]
    next(each for each in notebook["cells"] if each["id"] == "shift")["source"] = "written = 1"
    kept.keep("04", notebook, "2026-11-28")
    kept.keep("04", kept.notebook("04"), "2026-11-29-2")
    kept.path("04").with_name("04-cold-start.2026-11-30.ipynb").write_text("{")
    kept.keep("04", kept.notebook("04"), "mine")  # a copy of the learner's, with a name of theirs
    kept.keep("04", kept.notebook("04"))
    page = written(kept)
    text = text_of(page)
    sections = text.partition("04-cold-start.2026-11-28.ipynb: 1 of ")[2].split()[0]
    assert int(sections) > 5 and f"04-cold-start.2026-11-29-2.ipynb: 0 of {sections} sections run" in text
    assert text.index("2026-11-29-2.ipynb:") < text.index("2026-11-28.ipynb:") and "mine.ipynb" not in text
    assert "This answer is from 04-cold-start.2026-11-28.ipynb, an older copy that was kept" in text
    assert "The older copy 04-cold-start.2026-11-30.ipynb cannot be read" in text
    older = web_site.Page(kept.home / "review" / "notebooks" / "04-cold-start.2026-11-28.html")
    assert "as it was measured" in older.text and "An older copy of yours" in older.text
    assert len(older.links) > len(older.without_alt) == 0
    assert "as it was measured" not in web_site.Page(page.path.parent / "notebooks" / "04-cold-start.html").text


def test_in_the_order_of_the_slides(evening):
    found = written(evening, deck=True)
    titles = re.findall(r'<h3 id="heading-(\d\d)">', found.path.read_text(encoding="utf-8"))
    assert titles == [f"{number:02d}" for number in range(19)]
    text = text_of(found)
    assert text.index("Caveats of Lambda, part 1") < text.index("Caveats of Lambda, part 2")
    assert "not begun; not begun" not in text
    assert "Know Lambda" in text and "You have not begun this notebook." in text


def test_in_the_order_of_the_way(kept):
    for number in ("09", "04", "09"):
        kept.section(number, "Begin" if number == "09" else "After a rest")
    titles = re.findall(r'<h3 id="heading-(\d\d)">', written(kept).path.read_text(encoding="utf-8"))
    assert titles == ["09", "04"]


def test_whatever_was_typed_is_text(kept):
    kept.section("04", HOSTILE)
    kept.guess("04.a", HOSTILE, HOSTILE)
    kept.guess("04.z", HOSTILE, HOSTILE)
    kept.attempt("04.4", False, HOSTILE, HOSTILE)
    kept.attempt("09", False, HOSTILE, {HOSTILE: HOSTILE})
    kept.note("table", "04", name=HOSTILE, columns=[HOSTILE], rows=[[HOSTILE], [None], 7, [{"a": HOSTILE}]], total="x")
    kept.note("table", "", name="=1+1", columns=["=1+1"], rows=[["=1+1", float("nan")]], total=1)
    kept.note("bill", "03", usd=1, text=HOSTILE)
    kept.write_line(HOSTILE)
    notebook = kept.notebook("04")
    code = [each for each in notebook["cells"] if each["cell_type"] == "code"]
    code[0]["source"] = HOSTILE
    code[0]["outputs"] = [
        {"output_type": "stream", "text": HOSTILE},
        output(text_html=HOSTILE),
        output(text_markdown=f"{HOSTILE} [x](javascript:alert(1)) ![x](https://example.com/x.png)\n\n# no heading"),
        output(
            image_svg_xml=f'<svg xmlns="http://www.w3.org/2000/svg"><text>{"x" * 5}</text></svg>', text_plain=HOSTILE
        ),
        picture(HOSTILE),
    ]
    prose = next(each for each in notebook["cells"] if each["cell_type"] == "markdown")
    prose["source"] = (
        f"# {HOSTILE}\n\n###### deep\n\n[a](javascript:alert(1)) [b](file:///etc/passwd) [c](../../x.ipynb) "
        "![d](https://example.com/d.png) ![e](lessons/../../../etc/passwd.png) <iframe src=x></iframe>\n\n"
        "| a | b |\n|:--|--:|\n| 1 | 2 |\n"
    )
    notebook["cells"].append({"cell_type": HOSTILE, "id": HOSTILE, "source": HOSTILE})
    kept.keep("04", notebook)
    page = written(kept)
    for path in (kept.home / "review").rglob("*.html"):
        each = web_site.Page(path)
        assert each.runs == [] and "\x00" not in each.text and "\u202e" not in each.text
        assert not any("example.com" in address or "passwd" in address for address in each.links)
        assert str(1234 * 1234) not in each.text
    assert text_of(page).count("alert(1)") > 10
    assert "'=1+1" in (kept.home / "review" / "tables" / "other-1.csv").read_text()


def test_a_table_of_prose_has_heads_that_say_something():
    html = str(markup.markdown_output("| | a | |\n|-|:-:|-|\n| one | 1 | 2 |\n| | 3 | 4 |"))
    assert re.findall(r"<t([hd])(?: [^>]*)?>([^<]*)", html) == [
        ("d", ""), ("h", "a"), ("d", ""), ("h", "one"), ("d", "1"), ("d", "2"), ("d", ""), ("d", "3"), ("d", "4")
    ]  # fmt: skip
    assert 'scope="row"' in html and "style=" not in html and "<thead>" in html


def test_no_secret_is_in_any_file(kept):
    secrets = f"{HOOK} arn:aws:iam::{ACCOUNT}:role/x AKIA{'A' * 16} token='0123456789abcdef'"
    kept.section("04", secrets)
    kept.guess("04.a", secrets, secrets)
    kept.attempt("04.4", False, secrets, secrets)
    kept.attempt("09", False, secrets, {"app.py": secrets})
    kept.note("table", "04", name=secrets, columns=[secrets], rows=[[secrets]], total=1)
    kept.note("bill", "03", usd=1, text=secrets)
    kept.write_line(secrets)
    notebook = kept.notebook("04")
    for cell in notebook["cells"][:6]:
        cell["source"] = secrets
        if cell["cell_type"] == "code":
            cell["outputs"] = [output(text_html=secrets), output(text_markdown=secrets), output(text_plain=secrets)]
    kept.keep("04", notebook)
    written(kept)
    for path in (kept.home / "review").rglob("*"):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        assert not any(each in text for each in ("x" * 24, ACCOUNT, "A" * 16, "0123456789abcdef")), path


def test_a_table_shows_its_first_rows_and_its_file_has_all(kept):
    rows = [[number, number / 3] for number in range(45)]
    kept.note("table", "04", name="hello", columns=["n", "third"], rows=rows, total=90)
    kept.note("table", "04", name="hello", columns=["n", "third"], rows=rows, total=90)  # read once more
    text = text_of(written(kept))
    assert text.count("The first 20 of 90 rows; the file has 45.") == 1
    lines = (kept.home / "review" / "tables" / "04-1.csv").read_text().splitlines()
    assert len(lines) == 46 and lines[0] == "n,third" and lines[-1] == "44,14.6667"


def test_what_is_wide_and_says_little_comes_last_in_a_table(kept):
    kept.note(
        "table", "04", name="f", columns=["request_id", "billed_ms"], rows=[["long-some-id", 7], ["lacks"]], total=2
    )
    assert "long-som…" in text_of(written(kept))
    lines = (kept.home / "review" / "tables" / "04-1.csv").read_text().splitlines()
    assert lines == ["billed_ms,request_id", "7,long-some-id", ",lacks"]


def test_another_review_takes_its_place(kept):
    kept.section("04", "After a rest")
    written(kept)
    kept.section("09", "Begin")
    assert "09 Slack message" in text_of(written(kept))
    assert stat.S_IMODE((kept.home / "review").stat().st_mode) == 0o700
    assert not list(kept.home.glob(".review*"))


def test_a_folder_with_other_files_stays_as_it_is(kept, tmp_path):
    kept.section("04", "After a rest")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ReviewError, match="holds files that are no review's"):
        review.write(tmp_path)
    with pytest.raises(ReviewError, match=r"mine\.txt is a file; name a folder"):
        review.write(tmp_path / "mine.txt")
    with pytest.raises(ReviewError, match="Cannot write to"):
        review.write(tmp_path / "mine.txt" / "below")
    written(kept)
    (kept.home / "review" / "notes.txt").write_text("mine")
    with pytest.raises(ReviewError, match="holds files that are no review's"):
        review.write(kept.home / "review")
    assert (kept.home / "review" / "notes.txt").read_text() == "mine"


def test_an_empty_folder_is_taken(kept, tmp_path):
    kept.section("04", "After a rest")
    (tmp_path / "out").mkdir()
    assert review.write(tmp_path / "out") and (tmp_path / "out" / "index.html").is_file()


def test_a_disk_that_is_full_leaves_the_review_that_was_there(kept, monkeypatch):
    kept.section("04", "After a rest")
    written(kept)
    before = (kept.home / "review" / "index.html").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(ReviewError, match="make room on its disk"):
        review.write(kept.home / "review")
    assert (kept.home / "review" / "index.html").read_bytes() == before and not list(kept.home.glob(".review*"))


def test_the_texts_of_the_catalogue_are_plain():
    for entry in CATALOGUE.entries.values():
        for text in entry.values() if isinstance(entry, dict) else [entry]:
            assert puzzling(text) == [] and doubled(text) == []


def test_every_text_of_the_catalogue_is_used():
    folder = Path(review.__file__).parent
    written_by = "".join(path.read_text() for path in (*folder.glob("*.py"), *folder.glob("templates/*"))) + (
        Path(command.__file__).read_text()
    )
    unused = [
        each
        for each in CATALOGUE.entries
        if not re.search(rf"[\"']{re.escape(each)}[\"']", written_by) and not each.startswith("verdict.")
    ]
    assert unused == []
