"""The API that learners' notebooks ask, as somebody on the network may ask it: it needs the word, and then the key."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from class_support import KEY, Asker, attempt

from helpers.classroom.instructor import learner_api
from helpers.classroom.instructor.learner_api import LearnerApi
from helpers.classroom.instructor.limits import Limit, Rates
from helpers.local_page import server as local_page


@pytest.fixture
def asker(served) -> Asker:
    return Asker(f"http://{served.place.address}", served.place.word)


@contextlib.contextmanager
def asking(api: LearnerApi) -> Iterator[Asker]:
    """An API with limits of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with local_page.served(api.application(), listener):
        yield Asker(f"http://127.0.0.1:{port}", "green tiger")


def test_join_send_and_leave(asker, served):
    joined = asker.join("Ada")
    assert (joined.status_code, joined.json()["name"]) == (201, "Ada")
    id = joined.json()["learner"]
    synced = asker.sync(id, [[10, attempt()]], hand=True, name="Countess")
    assert synced.json() == {"name": "Countess", "hand": True, "messages": []}
    assert [each.name for each in served.store.members()] == ["Countess"]
    left = asker.ask("DELETE", f"/learners/{id}", key=KEY)
    assert (left.status_code, left.text) == (204, "")
    assert not served.store.members() and not list(served.store.entries())
    assert asker.sync(id).status_code == 401


@pytest.mark.parametrize("word", ["green tiger", "Green-Tiger", " GREENTIGER"])
def test_the_word_may_be_typed_in_many_ways(asker, word):
    assert asker.join(word=word).status_code == 201


@pytest.mark.parametrize("word", ["", "green", "green tigers", "red lion", "%", "*", "' OR 1=1 --"])
def test_another_word_lets_nobody_in(asker, served, word):
    answer = asker.join(word=word)
    assert answer.status_code == 403
    assert answer.json() == {"message": "This is not the word of the class; ask for it again."}
    assert not served.store.members()


def test_guesses_are_limited_also_for_the_right_word(served):
    guesses = Limit(Rates(rate=0.001, burst=3, all_rate=0.001, all_burst=50))
    with asking(LearnerApi(served.store, guesses=guesses)) as asker:
        assert [asker.join(word="red lion").status_code for _ in range(5)] == [403, 403, 403, 429, 429]
        right = asker.join()
    assert right.status_code == 429, "or a guess could be told from its answer"
    assert int(right.headers["retry-after"]) > 0


def test_right_words_cost_no_guess(served):
    with asking(LearnerApi(served.store, guesses=Limit(Rates(0.001, 1, 0.001, 1)))) as asker:
        assert {asker.join(key=str(number) * 32).status_code for number in range(9)} == {201}


def test_requests_are_limited(served):
    with asking(LearnerApi(served.store, requests=Limit(Rates(0.001, 2, 0.001, 9)))) as asker:
        assert [asker.ask("DELETE", "/learners/x").status_code for _ in range(4)] == [401, 401, 429, 429]


@pytest.mark.parametrize("key", ["", "wrong", "l" * 32, KEY + "x", "é" * 16])
def test_another_key_reads_and_changes_nothing(asker, served, key):
    id = asker.join().json()["learner"]
    served.store.say("for the class alone")
    headers = {"Authorization": f"Bearer {key}".encode()}
    synced = asker.ask("POST", f"/learners/{id}/sync", {"entries": [[1, attempt()]], "hand": True}, headers=headers)
    assert synced.status_code == 401 and "class alone" not in synced.text
    assert asker.ask("DELETE", f"/learners/{id}", headers=headers).status_code == 401
    [member] = served.store.members()
    assert member.hand is None and not list(served.store.entries())


def test_a_learner_is_nobody_else(asker, served):
    ada, grace = asker.join("Ada").json()["learner"], asker.join("Grace", "l" * 32).json()["learner"]
    assert asker.sync(grace, [[1, attempt()]], key=KEY).status_code == 401
    assert asker.ask("DELETE", f"/learners/{grace}", key=KEY).status_code == 401
    assert asker.sync(ada, [[1, attempt()]], key=KEY).status_code == 200
    assert {id for id, _, _ in served.store.entries()} == {ada}
    assert len(served.store.members()) == 2


def test_what_is_sent_again_is_there_once(asker, served):
    id = asker.join().json()["learner"]
    entries = [[number, attempt(at=float(number))] for number in range(1, 6)]
    for _ in range(3):
        assert asker.sync(id, entries).status_code == 200
    assert len(list(served.store.entries())) == 5
    assert asker.join().json()["learner"] == id, "who asks to join twice is one learner"
    assert len(served.store.members()) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff\xfe", b'"x"', b"[" * 60_000, b'{"word": 1, "name": "x", "key": "y"}', b"{}"],
)
def test_a_body_that_is_none_is_refused_in_a_sentence(asker, served, body):
    answer = asker.ask("POST", "/learners", data=body)
    assert answer.status_code == 400
    assert answer.json()["message"].endswith(".")
    assert not served.store.members()


@pytest.mark.parametrize("members", [{"name": "x" * 201}, {"word": "x" * 201}, {"key": "k" * 201}, {"key": "short"}])
def test_what_is_too_long_or_too_short_to_join_with(asker, served, members):
    assert asker.ask("POST", "/learners", {"word": asker.word, "name": "x", "key": KEY} | members).status_code == 400
    assert not served.store.members()


@pytest.mark.parametrize("entries", [{}, "x", 3, [[1, {}]] * 101])
def test_entries_that_are_no_list_of_a_hundred(asker, entries):
    id = asker.join().json()["learner"]
    assert asker.ask("POST", f"/learners/{id}/sync", {"entries": entries}, KEY).status_code == 400


def test_entries_of_any_kind_do_no_harm(asker, served):
    id = asker.join().json()["learner"]
    odd = [None, 1, [], [1], [1, 2, 3], ["1", attempt()], [True, attempt()], [-1, attempt()], [2**60, attempt()]]
    odd += [
        [5, {"kind": "attempt"}],
        [6, attempt(sentence=["x"])],
        [7, {"kind": "__proto__"}],
        [8, {**attempt(), "at": None}],
    ]
    odd += [[9, attempt(sentence="x", at=1e308)], [10, attempt(solved="yes")], [11, attempt("04.2", at=12.0)]]
    odd += [[12, {"kind": "hint", "at": 1, "notebook": "04", "exercise": "04.2", "number": 1e308}]]
    assert asker.sync(id, odd, now="late", heard="x", hand="up", name=3).status_code == 200
    assert [entry["at"] for _, _, entry in served.store.entries()] == [12.0]


@pytest.mark.parametrize("now", ["NaN", "-Infinity", "1e999", "1" * 400, "-5", "true", "[]", '"x"'])
def test_a_clock_that_is_no_number_counts_as_right(asker, served, now):
    id = asker.join().json()["learner"]
    body = (
        b'{"now": '
        + now.encode()
        + b', "entries": [[1, {"kind": "solution", "at": 5.0, "notebook": "04", "exercise": "04.2"}]]}'
    )
    headers = {"Authorization": f"Bearer {KEY}"}
    assert asker.ask("POST", f"/learners/{id}/sync", data=body, headers=headers).status_code == 200
    assert [moment for _, moment, _ in served.store.entries()] == [5.0]


def test_half_a_character_does_no_harm(asker, served):
    body = b'{"word": "green\\ud800 tiger", "name": "Ada\\ud800", "key": "' + b"\\ud800" * 32 + b'"}'
    id = asker.ask("POST", "/learners", data=body).json()["learner"]
    body = b'{"entries": [[1, {"kind": "prediction", "at": 5, "notebook": "04", "key": "04.a", "text": "12\\udfff"}]]}'
    headers = {"Authorization": "Bearer " + "?" * 32}
    assert asker.ask("POST", f"/learners/{id}/sync", data=body, headers=headers).status_code == 200
    assert [entry["text"] for _, _, entry in served.store.entries()] == ["12"]
    assert [each.name for each in served.store.members()] == ["Ada"]


def test_nothing_was_done_in_the_future(asker, served):
    id = asker.join().json()["learner"]
    asker.sync(id, [[1, attempt(at=time.time() + 1e9)]])
    [(_, moment, _)] = served.store.entries()
    assert moment <= time.time()


def test_a_learner_whose_clock_is_wrong_is_put_right(asker, served):
    id = asker.join().json()["learner"]
    now = time.time()
    asker.sync(id, [[1, attempt(at=now - 3600)]], now=now - 3600)
    [(_, moment, entry)] = served.store.entries()
    assert abs(moment - now) < 60 and entry["at"] == now - 3600


@pytest.mark.parametrize("size", [learner_api.LARGEST + 1, 5 * 2**20])
def test_a_body_that_is_too_large_is_not_read(asker, size):
    answer = asker.ask("POST", "/learners", data=b"x" * size)
    assert answer.status_code == 413


def test_a_body_without_an_end_is_not_waited_for(served, monkeypatch):
    monkeypatch.setattr(learner_api, "BODY_S", 0.2)
    with socket.create_connection((served.place.host, served.place.port), timeout=30) as connection:
        connection.sendall(b"POST /learners HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in connection.recv(1000)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1"},
    ],
)
def test_no_page_of_a_browser_is_answered(asker, served, headers):
    asked = {"word": asker.word, "name": "x", "key": KEY}
    assert asker.ask("POST", "/learners", asked, headers=headers).status_code == 403
    assert not served.store.members()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/learners", 405),
        ("GET", "/learners/x/sync", 405),
        ("POST", "/nowhere", 404),
        ("GET", "/enter", 404),
        ("GET", "/static/class.js", 404),
        ("GET", "/predictions", 404),
        ("PUT", "/learners/x", 405),
        ("POST", "/learners/%2e%2e/sync", 401),
    ],
)
def test_there_is_nothing_else(asker, method, path, status):
    answer = asker.ask(method, path)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"


def test_who_opens_it_in_a_browser_is_told_what_it_is(asker):
    answer = asker.ask("GET", "/")
    assert "join(" in answer.text and asker.word not in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_page_of_the_instructor_is_at_another_port(served):
    assert f":{served.place.port}/" not in served.page
    assert served.page.startswith("http://127.0.0.1:")


def test_messages_are_heard_once(asker, served):
    served.store.say("before anybody was there")
    id = asker.join().json()["learner"]
    served.store.say("first")
    [first] = asker.sync(id).json()["messages"]
    assert first["text"] == "first"
    served.store.say("second")
    assert [each["text"] for each in asker.sync(id, heard=first["id"]).json()["messages"]] == ["second"]


def test_a_class_that_is_full_says_so(asker, monkeypatch):
    from helpers.classroom.instructor import store

    monkeypatch.setattr(store, "LEARNERS", 1)
    asker.join()
    full = asker.join("Grace", "l" * 32)
    assert (full.status_code, full.json()["message"]) == (503, "The class has 1 learners, and takes no more.")


def test_a_class_that_has_ended_says_so(asker, served):
    id = asker.join().json()["learner"]
    served.store.end()
    for answer in (asker.sync(id), asker.join(), asker.ask("DELETE", f"/learners/{id}", key=KEY)):
        assert (answer.status_code, answer.json()["message"]) == (410, "The class has ended.")
