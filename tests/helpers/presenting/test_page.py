"""The presenter page as a browser without scripts sees it, and what the projector says to it."""

import html
import re

import pytest
import requests
from prefix_proxy import proxied

from helpers import classroom, settings
from helpers.authoring.notes import Notes
from helpers.authoring.source import Source
from helpers.classroom import AtSection, Figures, StuckAt
from helpers.classroom.instructor.store import FILE
from helpers.commands.present import present
from helpers.local_page.server import LocalPageError
from helpers.presenting import plans, server
from helpers.presenting.strings import CATALOGUE, words

NOTES = Notes(3, "Say <b>this</b> & *that*.", "It breaks.", {"01.a": "Forty-two."}, "All of it.")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKSHOP_HOME", str(tmp_path))
    monkeypatch.setattr(Source, "notes", {})


@pytest.fixture
def address(free_port):
    """A presenter page of notebook 01."""
    plan = plans.of_lesson("01")
    with server.serving(plan, 0, lambda number: f"there/{number}.ipynb", free_port(), ("hub.example",)) as served:
        yield served.address


class Page:
    """What a browser gets that has opened the address."""

    def __init__(self, address: str) -> None:
        self.base = address.partition("enter?")[0]
        self.session = requests.Session()
        self.session.trust_env = False
        assert self.session.get(address).status_code == 200

    def get(self, path: str = "") -> requests.Response:
        return self.session.get(self.base + path)

    @property
    def text(self) -> str:
        return html.unescape(re.sub(r"<[^>]+>|\s+", " ", self.get().text))

    @property
    def heading(self) -> str:
        return html.unescape(re.search(r"<h1>(.*?)</h1>", self.get().text)[1])

    def do(self, what: str, **more: object) -> requests.Response:
        proof = re.search(r'name="proof" value="(\w+)"', self.get().text)[1]
        return self.session.post(self.base + "do", data={"proof": proof, "do": what, **more})


@pytest.fixture
def page(address) -> Page:
    return Page(address)


def test_only_who_has_the_address_sees_it(address):
    base = address.partition("enter?")[0]
    for path in ("", "now", "clock", "projector/plan", "projector/asked", "static/presenter.js"):
        answer = requests.get(base + path)
        assert answer.status_code == 403 and "python3 -m helpers present" in answer.text, path
    assert requests.get(address).status_code == 200
    assert requests.get(address).status_code == 403, "it is good once"


def test_the_command_again_gives_another_browser_an_address(page, capsys):
    assert present("04", None, no_browser=True, port=None, hosts=[]) == 0
    told = capsys.readouterr()
    assert "The presenter page is served already" in told.err
    assert Page(told.out.strip()).heading == page.heading == "Opening"


def test_a_hub_reaches_it_by_its_name_and_nobody_by_another(page):
    cookie = "; ".join(f"{each.name}={each.value}" for each in page.session.cookies)
    for host, status in (("hub.example", 200), ("evil.example", 403)):
        assert requests.get(page.base, headers={"Host": host, "Cookie": cookie}).status_code == status


def test_behind_a_proxy_it_stays_below_its_prefix(address):
    port = int(re.search(r":(\d+)/", address)[1])
    with proxied(port, "/user/ada/proxy/1") as base:
        page = Page(address.replace(f"http://127.0.0.1:{port}", base))
        assert page.do("next").url == page.base == f"{base}/"
        assert page.heading == "Connect" and page.get("static/presenter.js").status_code == 200


def test_the_clock_has_the_title_of_the_plan(free_port):
    for plan, title in ((plans.read("evening"), "The evening of the slides"), (plans.of_lesson("04"), "04 Cold start")):
        with server.serving(plan, 0, str, free_port()) as served:
            page = Page(served.address)
            planned = page.get("clock").json()["all"]
            assert f'{title}</dt><dd id="clock-all">{planned}</dd>' in page.get().text


def test_it_shows_the_notes_of_the_section_and_what_comes_next(page, monkeypatch):
    monkeypatch.setattr(Source, "notes", {"": NOTES})
    shown = page.get().text
    assert "<p>Say &lt;b&gt;this&lt;/b&gt; &amp; <em>that</em>.</p>" in shown
    assert "It breaks." in shown and "Forty-two." in shown and "All of it." in shown
    assert "Opening" in shown and "1 of 12" in shown and 'class="following">Connect<' in shown
    assert "Solution of 01.1" in shown and 'start_at("01")' in page.text
    page.do("next")
    assert page.heading == "Connect" and words("no_notes") in page.text


def test_notes_that_cannot_be_read_are_said_and_hide_nothing_else(page, monkeypatch):
    monkeypatch.setattr("helpers.presenting.beside.notes_of", _broken)
    assert page.get().status_code == 200
    assert "Notes are not as they have to be: so." in page.text and "Solution of 01.1" in page.text


def _broken(step):
    from helpers.authoring.notes import NotesError

    raise NotesError("Notes are not as they have to be: so.")


def test_it_shows_the_class_where_one_is_open(page, monkeypatch):
    assert words("class") not in page.text, "there is none"
    sections = (AtSection("01", "", 3), AtSection("01", "Connect", 7), AtSection("02", "A <b>burst</b>", 1))
    stuck = (StuckAt("01.1", "It says <nothing>.", 2),)
    monkeypatch.setattr(classroom, "figures", lambda home: Figures(11, sections, stuck, ("Ada", "<i>Bob</i>"), True))
    for shown in (page.get().text, page.get("class").text):
        assert "3 of 11 learners are here." in shown and "7 at 01, Connect" in shown
        assert "1 at 02, A &lt;b&gt;burst&lt;/b&gt;" in shown and "Hands up: Ada, &lt;i&gt;Bob&lt;/i&gt;" in shown
        assert "2 cannot solve 01.1: It says &lt;nothing&gt;." in shown
        assert words("class.closed") not in shown
    page.do("next")
    assert "7 of 11 learners are here." in page.text and "3 at 01, Opening" in page.text


def test_a_class_whose_page_is_closed_is_said_to_be_as_it_was_left(page, monkeypatch):
    monkeypatch.setattr(classroom, "figures", lambda home: Figures(2, (), (), (), False))
    assert words("class.closed") in page.get("class").text


def test_the_file_of_a_class_that_is_damaged_is_said(page, tmp_path):
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    assert page.get().status_code == 200
    assert 'class="problem"' in page.get("class").text


def test_buttons_go_on_and_back_and_to_a_section(page):
    assert page.do("next").url == page.base
    assert page.heading == "Connect"
    page.do("back")
    assert page.heading == "Opening"
    page.do("go", step=11)
    assert page.heading == "What you have learned" and words("following.none") in page.text


def test_the_clock_begins_with_the_first_step_and_can_be_set_back(page):
    assert page.get("clock").json() == {
        "all": "30 min planned", "section": "2.5 min planned", "pace": "", "ends": words("clock.waits"), "is": ""
    }  # fmt: skip
    page.do("start")
    told = page.get("clock").json()
    assert re.fullmatch(r"0:0\d of 30 min", told["all"]) and told["pace"] == "on time"
    assert re.fullmatch(r"ends at \d\d:\d\d", told["ends"])
    page.do("go", step=4)
    assert page.get("clock").json()["pace"] == "10 min ahead"
    page.do("stop")
    assert page.get("clock").json()["pace"] == ""


@pytest.mark.parametrize("told", [{"do": "dance"}, {"do": "go", "step": "99"}, {"do": "go", "step": "-1"}, {}])
def test_what_is_not_understood_changes_nothing(page, told):
    answer = page.do(told.get("do", ""), **{name: text for name, text in told.items() if name != "do"})
    if told.get("step") != "-1":  # which is no number, so that it stays where it is
        assert (answer.status_code, answer.text) == (400, words("error.not_understood"))
    assert page.heading == "Opening"


def test_a_form_of_another_page_changes_nothing(page):
    answer = page.session.post(page.base + "do", data={"do": "next", "proof": "x"})
    assert (answer.status_code, answer.text) == (403, words("error.no_proof"))
    large = page.session.post(page.base + "do", data={"do": "next", "proof": "x" * 20_000})
    assert large.status_code == 403
    foreign = page.session.post(
        page.base + "projector/shown", json={"step": 1, "is_move": True}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    assert page.heading == "Opening"


def test_the_projector_is_told_what_to_present(page):
    told = page.get("projector/plan").json()
    assert told["at"] == 0 and len(told["steps"]) == 12
    assert told["steps"][1] == {
        "path": "there/01.ipynb", "heading": "Connect", "title": "01 What is Lambda?: Connect"
    }  # fmt: skip


def test_the_page_follows_the_projector_and_asks_it(page):
    assert words("projector.no") in page.text
    assert page.get("projector/asked").json() == {"number": 0}
    assert words("projector.yes") in page.text
    version = page.get("now").json()["version"]
    page.session.post(page.base + "projector/shown", json={"step": 2, "is_move": True})
    now = page.get(f"now?after={version}").json()
    assert now["at"] == 2 and "Event in, answer out" in now["html"] and "Event in, answer out" in now["title"]
    page.do("next")
    assert page.heading == "Event in, answer out", "it moves once the projector has"
    assert page.get("projector/asked?after=0").json() == {"number": 1, "do": "next", "step": 2}


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"step": 1}', '{"step": 99, "is_move": true}', '{"step": "1", "is_move": true}',
             '{"step": 1, "is_move": 1}', '{"step": -1, "is_move": true}', "{" * 5000, "x" * 20_000],
)  # fmt: skip
def test_what_the_projector_says_has_its_form(page, body):
    answer = page.session.post(page.base + "projector/shown", data=body)
    assert (answer.status_code, answer.text) == (400, words("error.not_understood"))
    assert page.heading == "Opening"


def test_another_page_is_not_there(page):
    assert (page.get("nowhere").status_code, page.get("nowhere").text) == (404, words("error.no_such_page"))


def test_a_port_that_is_taken_is_one_sentence(address):
    port = int(re.search(r":(\d+)/", address)[1])
    with (
        pytest.raises(LocalPageError, match=f"Port {port} is taken; choose another with --port, or none."),
        server.serving(plans.of_lesson("01"), 0, str, port),
    ):
        raise AssertionError("it is served nevertheless")


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
def test_a_port_that_is_none_is_one_sentence(port):
    with (
        pytest.raises(
            LocalPageError, match=rf"^There is no port {port}; choose one from 1 to 65535 with --port, or none\.$"
        ),
        server.serving(plans.of_lesson("01"), 0, str, port),
    ):
        raise AssertionError("it is served nevertheless")


def test_every_word_is_used():
    files = [
        *(settings.ROOT / "helpers" / "presenting").rglob("*.html"),
        *(settings.ROOT / "helpers" / "presenting").glob("*.py"),
    ]
    text = "".join(file.read_text() for file in files)
    assert [each for each in CATALOGUE.entries if f'"{each}"' not in text] == []
