"""A learner in the class: joins, sends what is new and nothing else, without a network too, once, and can leave."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from class_support import Asker
from localaws_client import eventually

from helpers import hand, join, settings
from helpers.classroom.entries import BATCH
from helpers.classroom.learner import acts, connection, joining, kernel, membership, sender
from helpers.classroom.learner.connection import Unreachable
from helpers.classroom.place import ClassError
from helpers.session import record

SECRET = "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnopqrstuvwx"


@pytest.fixture
def here(open_class, home):
    """A class that is served now, and a learner beside it."""
    with open_class() as served:
        yield served


def notes(count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        record.note("attempt", exercise="04.2", solved=False, sentence=f"Not yet: {number}.", answer=f"code {SECRET}")


def sentences(served) -> list[str]:
    return [entry["sentence"] for _, _, entry in served.store.entries() if entry["kind"] == "attempt"]


def test_who_joins_sends_what_is_done_from_then_on(here):
    notes(2)
    join(str(here.place), "Ada")
    assert [each.name for each in here.store.members()] == ["Ada"]
    notes(3, start=2)
    record.note("table", name="f", columns=["a"], rows=[[1]], total=1)
    record.note("bill", usd=1.0, text="x")
    sender.turn()
    assert sentences(here) == ["Not yet: 2.", "Not yet: 3.", "Not yet: 4."]
    assert {entry["kind"] for _, _, entry in here.store.entries()} == {"attempt"}


def test_neither_code_nor_a_webhook_leaves_the_machine(here, monkeypatch):
    said: list[str] = []
    real = connection.http.client.HTTPConnection.request

    def listen(self, method, url, body=None, headers=None, **more):
        said.append(f"{url} {body} {headers}")
        return real(self, method, url, body, headers or {}, **more)

    monkeypatch.setattr(connection.http.client.HTTPConnection, "request", listen)
    join(str(here.place), "Ada")
    record.note(
        "attempt", exercise="04.2", solved=False, sentence=f"posted to {SECRET}", answer="def code_of_mine(): 1"
    )
    record.note("prediction", key="04.a", text=f"12 {SECRET}")
    sender.turn()
    sent = " ".join(said)
    assert "posted to" in sent and '"text": "12' in sent
    assert "code_of_mine" not in sent and "abcdefgh" not in sent and "answer" not in sent


def test_what_is_shown_is_what_was_sent(here, capsys, monkeypatch):
    bodies: list[dict] = []
    real = sender.ask
    monkeypatch.setattr(
        sender,
        "ask",
        lambda place, method, path, body=None, key="": bodies.append(body) or real(place, method, path, body, key),
    )
    mine = join(str(here.place), "Ada")
    notes(3)
    record.note("table", name="f", columns=["a"], rows=[[1]], total=1)
    sender.turn()
    notes(1, start=3)  # not sent yet
    mine.sent()
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f'Sent to {here.place.address}: {{"name": "Ada", "hand": false}} and 3 entries.'
    sent = [list(each) for body in bodies if body for each in body.get("entries", [])]
    assert [json.loads(line) for line in lines] == json.loads(json.dumps(sent))
    mine.sent(1)
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.endswith("the last 1 of 3 entries.") and len(lines) == 1


def test_a_wrong_word_is_one_sentence_and_nothing_is_sent(here):
    with pytest.raises(ClassError, match=r"^This is not the word of the class; ask for it again\.$"):
        join(f"red lion@{here.place.address}", "Ada")
    assert not membership.read().is_member
    notes(1)
    sender.turn()
    assert not here.store.members()
    join(f"GREENTIGER@{here.place.address}", "Ada")
    assert len(here.store.members()) == 1


def test_without_a_network_it_is_sent_later(open_class, home, capsys):
    with open_class() as served:
        typed = str(served.place)
    begun = time.monotonic()
    mine = join(typed, "Ada")
    assert time.monotonic() - begun < 5 * connection.LIMIT_S
    assert repr(mine).startswith("<Class: The class at 127.0.0.1:") and "sent when it can be" in repr(mine)
    notes(2)
    hand()
    assert "your instructor sees it when it can be" in capsys.readouterr().out
    with pytest.raises(Unreachable):
        sender.turn()
    with open_class() as served:
        sender.turn()
        assert sentences(served) == ["Not yet: 0.", "Not yet: 1."]
        assert [each.hand is not None for each in served.store.members()] == [True]
    assert f"You are in the class at {served.place.address} as Ada. Your hand is up." in repr(mine)


def test_the_instructor_may_start_again(open_class, home):
    with open_class() as served:
        join(str(served.place), "Ada")
        notes(2)
        sender.turn()
        [before] = served.store.members()
    notes(2, start=2)
    with pytest.raises(Unreachable):
        sender.turn()
    with open_class(word="") as served:
        assert served.place.word == "green tiger", "the class that is open goes on"
        sender.turn()
        assert sentences(served) == [f"Not yet: {number}." for number in range(4)]
        assert [each.id for each in served.store.members()] == [before.id]


def test_an_answer_that_is_lost_makes_nothing_twice(here, monkeypatch):
    real = sender.ask

    def lose(place, method, path, body=None, key=""):
        real(place, method, path, body, key)
        raise Unreachable("lost")

    monkeypatch.setattr(sender, "ask", lose)
    join(str(here.place), "Ada")
    notes(3)
    monkeypatch.setattr(sender, "ask", real)
    sender.turn()
    monkeypatch.setattr(sender, "ask", lose)
    notes(2, start=3)
    with pytest.raises(Unreachable):
        sender.turn()
    monkeypatch.setattr(sender, "ask", real)
    sender.turn()
    assert sentences(here) == [f"Not yet: {number}." for number in range(5)]
    assert len(here.store.members()) == 1


def test_many_entries_go_in_several_requests(here):
    join(str(here.place), "Ada")
    notes(BATCH * 2 + 5)
    sender.turn()
    assert sentences(here) == [f"Not yet: {number}." for number in range(BATCH * 2 + 5)]


def test_long_entries_stay_below_the_limit_of_a_request(here):
    join(str(here.place), "Ada")
    for _ in range(BATCH):
        record.note("prediction", key="04.a", text="山" * 5000)
    sender.turn()
    assert len(list(here.store.entries())) == BATCH


def test_a_record_that_begins_anew_is_sent_too(here):
    join(str(here.place), "Ada")
    notes(3)
    sender.turn()
    record.path().unlink()
    notes(1, start=7)
    sender.turn()
    assert sentences(here)[-1] == "Not yet: 7."
    assert len(sentences(here)) == 4


def test_threads_of_two_kernels_send_once(here):
    join(str(here.place), "Ada")
    notes(250)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: sender.turn(waits=True), range(8)))
    assert len(sentences(here)) == 250


def test_two_kernels_send_once(here, home):
    join(str(here.place), "Ada")
    notes(250)
    code = "from helpers.classroom.learner import sender\nfor _ in range(3): sender.turn(waits=True)"
    kernels = [
        subprocess.Popen([sys.executable, "-c", code], cwd=settings.ROOT, stderr=subprocess.PIPE) for _ in range(2)
    ]
    assert [(each.communicate(timeout=120)[1], each.returncode) for each in kernels] == [(b"", 0)] * 2
    assert len(sentences(here)) == 250
    assert len(here.store.members()) == 1


def test_a_kernel_does_not_wait_for_the_one_that_sends(here):
    join(str(here.place), "Ada")
    notes(1)
    with membership.sending() as is_mine:
        assert is_mine
        assert sender.turn() == 0
        assert sentences(here) == []
    sender.turn()
    assert sentences(here) == ["Not yet: 0."]


def test_a_kernel_that_has_nothing_to_say_lets_the_other_ask(here, monkeypatch):
    join(str(here.place), "Ada")
    asked: list[str] = []
    monkeypatch.setattr(sender, "ask", lambda place, method, path, *_: asked.append(path))
    sender.turn()
    assert asked == []


def test_leaving_deletes_what_the_class_has(here, capsys):
    mine = join(str(here.place), "Ada")
    notes(2)
    sender.turn()
    mine.leave()
    assert capsys.readouterr().out == "You have left the class, and what it had of you is deleted.\n"
    assert not here.store.members() and not list(here.store.entries())
    notes(2)
    sender.turn()
    assert not list(here.store.entries())
    assert repr(mine) == f"<Class: {acts.NOWHERE}>"
    with pytest.raises(ClassError, match="^You are in no class"):
        mine.leave()


def test_leaving_without_a_network_is_done_later(open_class, home, capsys):
    with open_class() as served:
        mine = join(str(served.place), "Ada")
    mine.leave()
    assert "deleted when it can be" in capsys.readouterr().out
    notes(1)
    with open_class() as served:
        assert len(served.store.members()) == 1
        sender.turn()
        assert not served.store.members()


def test_a_class_that_has_ended_or_removed_one_gets_nothing_more(here):
    join(str(here.place), "Ada")
    [ada] = here.store.members()
    here.store.remove(ada.id)
    notes(1)
    sender.turn()
    kept = membership.read()
    assert not kept.is_member and acts.status(kept) == sender.GONE
    join(str(here.place), "Ada")
    assert membership.read().is_member
    here.store.end()
    notes(1)
    sender.turn()
    assert not membership.read().is_member


def test_a_hand_goes_up_and_down_at_either_side(here, capsys):
    join(str(here.place), "Ada")
    hand()
    [ada] = here.store.members()
    assert ada.hand is not None
    assert capsys.readouterr().out == "Your hand is up; hand(False) lowers it.\n"
    here.store.raise_hand(ada.id, False)
    sender.turn(is_urgent=True)
    assert not membership.read().hand, "the instructor has lowered it"
    hand()
    hand(False)
    assert here.store.member(ada.id).hand is None
    assert capsys.readouterr().out.endswith("Your hand is down.\n")


@pytest.mark.usefixtures("home")
def test_outside_of_a_class_a_hand_is_a_sentence():
    with pytest.raises(ClassError, match=r"^You are in no class; join\(\"word\"\) joins one"):
        hand()


def test_another_name_is_shown(here):
    join(str(here.place), "Ada")
    join(name="Countess\x1b[2J of Lovelace")
    assert [each.name for each in here.store.members()] == ["Countess[2J of Lovelace"]
    assert membership.read().name == "Countess[2J of Lovelace"


def test_who_joins_another_class_leaves_the_one_before(here, free_port):
    join(str(here.place), "Ada")
    join(f"red lion@127.0.0.1:{free_port()}", "Ada")
    assert not here.store.members()
    assert membership.read().word == "red lion"


def test_what_is_kept_is_its_owners_alone(here, home):
    join(str(here.place), "Ada")
    files = [membership.path(), *home.glob("class.*")]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"word": 1}', "\xff"])
def test_a_file_that_is_damaged_is_no_class(home, text):
    membership.path().parent.mkdir(parents=True)
    membership.path().write_text(text)
    assert membership.read() is None
    assert sender.turn() == 0
    assert "no class" in repr(join())


@pytest.mark.usefixtures("home")
def test_a_kernel_that_is_nobodys_notebook_joins_nothing(monkeypatch, here):
    monkeypatch.delenv("JPY_SESSION_NAME")
    with pytest.raises(ClassError, match="^A class is joined in a notebook of your own"):
        join(str(here.place), "Ada")
    shown = join(str(here.place))._repr_mimebundle_()
    assert list(shown) == ["text/plain"], "as in a solution that build executes"


def test_a_word_alone_says_what_is_missing(here):
    shown = join(str(here.place))
    assert repr(shown) == f'<Class: Type a name of your choice to join, or run join("{here.place}", "a name").>'
    assert not here.store.members()


@pytest.mark.parametrize("word", ["abc", "tiger@a b"])
def test_a_word_that_is_none_is_refused_at_once(home, word):
    with pytest.raises(ClassError):
        join(word)
    assert not membership.path().exists()


# a kernel's thread


def test_after_trouble_it_asks_less_and_less_often(open_class, home):
    with open_class() as served:
        typed = str(served.place)
    join(typed, "Ada")
    follower = kernel.Follower()
    pauses = []
    for _ in range(8):
        follower.turn()
        pauses.append(follower._pause)
    assert pauses[:3] == [10, 20, 40] and pauses[-1] == kernel.LONGEST_S
    with open_class():
        follower.turn()
        assert follower._pause < 2 * kernel.PAUSE_S


@pytest.mark.usefixtures("home")
def test_whatever_goes_wrong_no_cell_hears_of_it(monkeypatch, capsys):
    def fail(*_, **__):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(sender, "turn", fail)
    follower = kernel.Follower()
    follower.on_change.append(fail)
    follower.turn()
    assert capsys.readouterr() == ("", "")


def test_a_message_is_shown_at_the_next_cell_once_and_as_text(here, capsys):
    join(str(here.place), "Ada")
    capsys.readouterr()
    follower = kernel.Follower()
    here.store.say("Go on with <b>05</b>\x1b[31m, please.")
    sender.turn(is_urgent=True)
    follower.turn()
    follower.show_notices()
    assert capsys.readouterr().out == "Your instructor says: Go on with <b>05</b>[31m, please.\n"
    follower.turn()
    follower.show_notices()
    assert capsys.readouterr().out == ""


def test_the_end_is_told_once(here, capsys):
    join(str(here.place), "Ada")
    follower = kernel.Follower()
    here.store.end()
    notes(1)
    follower.turn()
    follower.turn()
    follower.show_notices()
    assert capsys.readouterr().out.splitlines() == [sender.GONE]


def test_the_thread_sends_what_a_cell_has_done(here):
    join(str(here.place), "Ada")
    follower = kernel.Follower()
    follower.start()
    notes(1)
    follower._wake.set()
    eventually(lambda: list(here.store.entries()), 60)
    membership.begin(None)  # the thread has nothing more to do


def test_a_server_that_is_no_class_is_as_none(home, free_port):
    import http.server

    class Odd(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[1, 2]" if "sync" in self.path else b'{"learner": 3}')

        def log_message(self, *_):
            return

    server = http.server.HTTPServer(("127.0.0.1", 0), Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert "cannot be reached" in repr(join(f"tiger@127.0.0.1:{server.server_port}", "Ada"))
    finally:
        server.shutdown()
        server.server_close()


def test_join_shows_a_box_that_joins_and_leaves(here):
    from helpers.classroom.learner.box import Box

    box = Box(str(here.place))
    enter = box._outside.children[-1]
    enter.click()
    assert "Type the word and a name first." in box._status.value
    box._name.value = "Ada <b>"
    enter.click()
    assert "as Ada &lt;b&gt;" in box._status.value
    assert [each.name for each in here.store.members()] == ["Ada <b>"]
    raise_hand, look, leave = box._inside.children[0].children
    raise_hand.click()
    assert here.store.members()[0].hand is not None and raise_hand.description == "Lower my hand"
    notes(1)
    here.store.say("<script>alert(1)</script>")
    sender.turn()
    look.click()
    assert "Not yet: 0." in box._sent.value and look.description == "Hide what is sent"
    assert "&lt;script&gt;" in box._messages.value and "<script>" not in box._messages.value
    leave.click()
    assert not here.store.members()
    assert "You have left the class" in box._status.value
    assert box._outside.layout.display == ""


def test_a_box_says_what_is_wrong(home):
    from helpers.classroom.learner.box import Box

    box = Box("abc")
    box._name.value = "Ada"
    box._outside.children[-1].click()
    assert "The word of a class has 4 to 40 letters" in box._status.value
    assert set(joining.Class()._repr_mimebundle_()) >= {"text/plain", "application/vnd.jupyter.widget-view+json"}


def test_two_of_one_name_are_told_apart(here):
    asker = Asker(f"http://{here.place.address}", here.place.word)
    assert asker.join("Grace").status_code == 201
    join(str(here.place), "Grace")
    assert [each.name for each in here.store.members()] == ["Grace", "Grace (2)"]
    assert membership.read().name == "Grace (2)"
