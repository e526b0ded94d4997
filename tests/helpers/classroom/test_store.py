"""The file of a class: entries once, names that differ, limits, a restart, and the end."""

import sqlite3

import pytest
from class_support import KEY, attempt

from helpers.classroom.entries import NAME
from helpers.classroom.instructor import store as module
from helpers.classroom.instructor.store import FILE, ClassStore, Full, delete
from helpers.classroom.place import ClassError


@pytest.fixture
def file(tmp_path):
    return tmp_path / "work" / FILE


@pytest.fixture
def store(file):
    store = ClassStore(file)
    store.begin("green tiger", "127.0.0.1:4580")
    yield store
    store.close()


def test_only_its_owner_may_read_it(store, file):
    store.add("Ada", KEY)
    assert {each.stat().st_mode & 0o777 for each in file.parent.iterdir()} == {0o600}


def test_an_entry_is_kept_once_however_often_it_is_sent(store):
    ada = store.add("Ada", KEY)
    first, second = attempt(at=1.0), attempt(at=2.0)
    store.take(ada.id, [(10, first), (20, second)])
    store.take(ada.id, [(10, first), (20, second), (30, attempt(at=3.0))])
    assert [entry["at"] for _, _, entry in store.entries()] == [1.0, 2.0, 3.0]
    store.take(ada.id, [(10, attempt(at=9.0))])
    assert [entry["at"] for _, _, entry in store.entries()][3:] == [9.0], "of a record that has begun anew"


def test_what_is_no_entry_is_left_out_and_the_rest_is_kept(store):
    ada = store.add("Ada", KEY)
    store.take(ada.id, [(1, None), (2, {"kind": "bill"}), (3, attempt())])
    [(_, _, entry)] = store.entries()
    assert "answer" not in entry


def test_the_clock_of_a_learner_may_be_wrong(store):
    ada = store.add("Ada", KEY)
    store.take(ada.id, [(1, attempt(at=100.0))], ahead_s=50)
    assert [moment for _, moment, _ in store.entries()] == [150.0]


def test_who_asks_twice_with_one_key_is_one_learner(store):
    assert store.add("Ada", KEY) == store.add("Ada", KEY)
    assert store.add("Ada", "l" * 32).name == "Ada (2)"
    assert store.add("  ", "m" * 32).name == "Learner"
    assert len(store.members()) == 3
    assert len({each.id for each in store.members()}) == 3


def test_a_key_is_not_in_the_file(store, file):
    ada = store.add("Ada", KEY)
    assert store.knows(ada.id, KEY)
    assert not store.knows(ada.id, "l" * 32) and not store.knows("nobody", KEY) and not store.knows("", "")
    store.close()
    assert KEY.encode() not in b"".join(each.read_bytes() for each in file.parent.iterdir())


def test_a_name_is_one_line_and_short(store):
    long = store.add("x" * 500, KEY)
    assert len(long.name) <= NAME
    assert store.add("x" * 500, "l" * 32).name != long.name
    assert store.add("Grace\n<b>\u202e", "m" * 32).name == "Grace <b>"


def test_a_hand_has_the_time_of_the_first(tmp_path):
    now = [1.0]
    store = ClassStore(tmp_path / FILE, lambda: now[0])
    ada = store.add("Ada", KEY)
    for up, since in ((True, 1.0), (True, 1.0), (False, None)):
        store.raise_hand(ada.id, up)
        assert store.member(ada.id).hand == since
        now[0] += 1
    store.close()


def test_learners_and_their_entries_are_limited(store, monkeypatch):
    monkeypatch.setattr(module, "LEARNERS", 2)
    monkeypatch.setattr(module, "ENTRIES", 3)
    ada = store.add("Ada", KEY)
    store.add("Grace", "l" * 32)
    with pytest.raises(Full, match=r"^The class has 2 learners, and takes no more\.$"):
        store.add("Linus", "m" * 32)
    assert store.add("Ada", KEY) == ada, "who is in is in"
    store.take(ada.id, [(number, attempt()) for number in range(9)])
    assert len(list(store.entries())) == 3
    store.take(ada.id, [(9, attempt())])
    assert len(list(store.entries())) == 3


def test_who_is_removed_leaves_nothing(store):
    ada = store.add("Ada", KEY)
    store.take(ada.id, [(1, attempt())])
    store.remove(ada.id)
    assert not store.members() and not list(store.entries()) and not store.knows(ada.id, KEY)


def test_it_is_all_there_after_a_restart(store, file):
    ada = store.add("Ada", KEY)
    store.take(ada.id, [(1, attempt())])
    store.say("Hello <b>all</b>\n")
    store.close()
    again = ClassStore(file)
    again.begin("red lion", "127.0.0.1:4580")
    assert again.members() == [ada] and again.knows(ada.id, KEY)
    assert len(list(again.entries())) == 1
    assert [each.text for each in again.messages()] == ["Hello <b>all</b>"]
    assert again.is_word("RED LION") and not again.is_word("green tiger") and not again.is_word("")
    again.close()


def test_a_message_is_heard_by_who_has_not_heard_it(store):
    for number in range(30):
        store.say(str(number))
    last = store.messages()
    assert [each.text for each in last] == [str(number) for number in range(10, 30)]
    assert [each.text for each in store.messages(last[-2].id)] == ["29"]


def test_after_the_end_nothing_is_left(store, file):
    ada = store.add("Ada Lovelace", KEY)
    store.take(ada.id, [(1, attempt(sentence="A sentence of hers"))])
    store.end()
    assert not store.is_open and not store.is_word("green tiger") and not store.members()
    store.close()
    left = b"".join(each.read_bytes() for each in file.parent.iterdir())
    assert b"Lovelace" not in left and b"A sentence" not in left
    delete(file)
    assert not list(file.parent.iterdir())


def test_a_file_that_is_damaged_is_one_sentence(file):
    file.parent.mkdir()
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(ClassError, match=rf"^The file of the class, {file}, cannot be used \(.*\); move it away"):
        ClassStore(file)
    assert file.read_bytes().startswith(b"no database"), "it is left as it is"


def test_a_folder_in_its_place_is_one_sentence(file):
    file.mkdir(parents=True)
    with pytest.raises(ClassError, match=r"^Cannot write to .*class\.sqlite"):
        ClassStore(file)


def test_a_disk_that_is_full_is_one_sentence_and_changes_nothing(store, monkeypatch):
    ada = store.add("Ada", KEY)

    class Full:
        def __getattr__(self, name):
            raise sqlite3.OperationalError("database or disk is full")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    real = store._database
    monkeypatch.setattr(store, "_database", Full())
    with pytest.raises(ClassError, match=r"disk is full\); .* make room on its disk\.$"):
        store.say("hello")
    monkeypatch.setattr(store, "_database", real)
    assert store.members() == [ada] and not store.messages()
