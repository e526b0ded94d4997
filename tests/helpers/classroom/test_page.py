"""The instructor's page: who gets in, what it shows, that everything is text, what its buttons do, and the end."""

import csv
import io
import re
import stat
from pathlib import Path

import pytest
import requests
from class_support import KEY, Page, attempt, prediction
from plain_words import puzzling

from helpers import classroom
from helpers.classroom.instructor import page as module
from helpers.classroom.instructor import strings
from helpers.classroom.instructor.page import duration

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def page(served) -> Page:
    return Page(served)


@pytest.fixture
def ada(served) -> str:
    """A learner who has done something of everything."""
    id = served.store.add("Ada", KEY).id
    now = served.store.now()
    section = {"kind": "section", "at": now - 700, "notebook": "04", "section": "Reuse"}
    told = [section, prediction("04.a", "12"), prediction("04.a", "42 times", "measured")]
    told += [attempt("04.1", solved=True, at=now - 650), attempt(at=now - 600, sentence="Not yet. It is cold.")]
    told += [{"kind": "hint", "at": now, "notebook": "04", "exercise": "04.2", "number": 2}]
    served.store.take(id, list(enumerate(told)))
    return id


@pytest.mark.parametrize("path", ["/", "/predictions", "/predictions/04.a", "/learners/x", "/end", "/static/class.js"])
def test_without_the_cookie_nothing_is_shown(served, path):
    base = served.page.partition("/enter")[0]
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(base + path, timeout=30)
    assert answer.status_code == 403 and "python3 -m helpers class again" in answer.text


def test_the_overview_says_who_is_where_and_who_is_stuck(page, served, ada):
    served.store.raise_hand(ada, True)
    text = page.text()
    assert f'join("green tiger@{served.place.address}")' in text
    assert "1 learner 1 hand up 1 stuck 0 away" in text
    assert "04.2 Not yet. It is cold. Ada 10 min" in text
    assert "04 Reuse 1" in text
    assert "04.1 1 0 0 0 04.2 0 1 1 0" in text


def test_that_it_is_served_is_told_to_other_pages(served, ada):
    figures = classroom.figures(served.store.file.parent)
    assert figures and figures.is_served and figures.learners == 1


def test_a_learner_has_a_page(page, ada):
    text = page.text(f"/learners/{ada}")
    assert "04.1 10 min ago 1 0" in text and "04.2 1 2 Not yet. It is cold." in text and "04.a 12 42 times" in text
    page.html("/learners/nobody", 404)


def test_the_predictions_are_a_table_with_what_was_measured(page, ada):
    assert "04.a 1 Predict: how many times" in page.text("/predictions")
    text = page.text("/predictions/04.a?measured=shown")
    assert "12 1 42 0 ◀ measured" in text and "Measured: 42 times by 1 learner" in text
    at_first = page.text("/predictions/04.a")
    assert "12 1" in at_first and "42" not in at_first, "who is quick does not give it away"
    assert "Ada" not in text, "the projector shows no names"
    page.html("/predictions/04.b", 404)


def test_before_anybody_has_come(page):
    assert "Nobody has joined yet." in page.text()
    assert "Nobody has predicted anything yet." in page.text("/predictions")


def test_everything_of_a_learner_is_text(page, served):
    id = served.store.add(HOSTILE, KEY).id
    now = served.store.now()
    told = [{"kind": "section", "at": now, "notebook": "04", "section": HOSTILE}]
    told += [
        attempt(at=now - 400, sentence=HOSTILE),
        prediction("01.a", HOSTILE),
        prediction("01.a", HOSTILE, "measured"),
    ]
    served.store.take(id, list(enumerate(told)))
    served.store.raise_hand(id, True)
    served.store.say(HOSTILE)
    for path in ("/", "/predictions", "/predictions/01.a?measured=shown", f"/learners/{id}"):
        html = page.html(path)
        assert "<img" not in html and "&lt;img" in html or path == "/predictions"


def test_no_page_needs_what_the_policy_forbids(page, ada):
    for path in ("/", "/predictions", "/predictions/04.a", f"/learners/{ada}", "/end"):
        html = page.html(path)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html), path
        assert re.findall(r"<script[^>]*>", html) == [
            f'<script type="module" src="{"../" * (path.count("/") - 1) or "./"}static/class.js">'
        ]
        answer = page.session.get(page.base + path, timeout=30)
        assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_message_to_all(page, served):
    assert "Sent." in page.press("say", text="Go on with 05")
    assert [each.text for each in served.store.messages()] == ["Go on with 05"]
    assert "Type a message first." in page.press("say", text="  ")
    assert len(served.store.messages()) == 1


def test_hands_are_lowered_one_by_one_or_all(page, served, ada):
    others = [served.store.add("Grace", letter * 32).id for letter in "lm"]
    for each in (ada, *others):
        served.store.raise_hand(each, True)
    page.press("lower", learner=ada)
    assert [each.hand is None for each in served.store.members()] == [True, False, False]
    page.press("lower-all")
    assert all(each.hand is None for each in served.store.members())


def test_a_learner_is_removed(page, served, ada):
    assert "Removed, with all that was sent." in page.press("remove", f"/learners/{ada}")
    assert not served.store.members() and not list(served.store.entries())


@pytest.mark.parametrize("path", ["/", "/end", "/learners/x"])
def test_a_form_without_the_proof_changes_nothing(page, served, ada, path):
    path = path.replace("x", ada)
    for proof in ("", "wrong"):
        data = {"proof": proof, "do": "say", "text": "x"}
        assert page.session.post(page.base + path, data=data, timeout=30).status_code == 403
    foreign = page.session.post(page.base + path, data={}, headers={"Origin": "http://evil.example"}, timeout=30)
    assert foreign.status_code == 403
    assert served.store.is_open and served.store.members() and not served.store.messages()


def test_a_form_that_is_too_large_is_refused(page, served):
    data = {"proof": "x", "text": "x" * (module.LARGEST + 1)}
    assert page.session.post(page.base + "/", data=data, timeout=30).status_code == 413


def test_a_button_that_is_not_there(page):
    assert "There is no such button." in page.press("explode")


def test_what_a_link_lets_the_page_say_is_its_own(page):
    assert "evil" not in page.html("/?said=evil") and "evil" not in page.html("/?said=end.what&x=evil")


def test_the_end_leaves_one_csv(page, served, ada, instructor):
    served.store.rename(ada, "=Ada")
    text = page.press("end", "/end")
    [file] = instructor.glob("class-*.csv")
    assert str(file) in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [row] = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))
    assert (row["name"], row["04.2 attempts"], row["04.a measured"]) == ("'=Ada", "1", "42 times")
    assert not served.store.is_open and not served.store.members()
    assert "The class has ended." in page.text("/"), "every page says so"


def test_a_second_class_of_a_day_has_a_file_of_its_own(served, instructor):
    first, served.store.begin = module.end(served.store), served.store.begin
    served.store.begin("red lion", "127.0.0.1:1")
    second = module.end(served.store)
    assert first != second and first.exists() and second.exists()


def test_after_the_end_the_files_are_gone_when_it_is_no_more_served(open_class, instructor):
    with open_class() as served:
        Page(served).press("end", "/end")
    assert not [each.name for each in instructor.iterdir() if "sqlite" in each.name]


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (7300, "2 h")]
)
def test_how_long(seconds, text):
    assert duration(seconds) == text


def test_the_words_are_plain():
    assert puzzling(strings.CATALOGUE.file.read_text(encoding="utf-8")) == []


def test_each_word_of_the_catalogue_is_used():
    folder = Path(module.__file__).parent
    sources = "\n".join(
        each.read_text(encoding="utf-8") for each in (*folder.glob("*.py"), *folder.glob("templates/*"))
    )
    assert [id for id in strings.CATALOGUE.entries if f'"{id}"' not in sources] == []
