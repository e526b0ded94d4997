"""What the entries of a class come to, and the figures of it for other pages."""

import pytest
from class_support import KEY, attempt, prediction

from helpers import classroom
from helpers.classroom import AtSection, Figures, StuckAt
from helpers.classroom.instructor.room import AWAY_S, STUCK_S, room_of
from helpers.classroom.instructor.store import FILE, ClassStore


class Class:
    """A class with a clock that stands still until it is moved."""

    def __init__(self, folder) -> None:
        self.now = 1_700_000_000.0
        self.store = ClassStore(folder / FILE, lambda: self.now)
        self.store.begin("green tiger", "127.0.0.1:4580")
        self._offset = 0

    def learner(self, name: str) -> str:
        return self.store.add(name, f"{name:k<32}").id

    def did(self, id: str, entry: dict) -> None:
        self._offset += 1
        self.store.take(id, [(self._offset, {**entry, "at": self.now})])
        self.store.seen(id)

    def at(self, id: str, notebook: str, section: str) -> None:
        self.did(id, {"kind": "section", "notebook": notebook, "section": section})

    @property
    def room(self):
        return room_of(self.store)


@pytest.fixture
def room(tmp_path):
    made = Class(tmp_path)
    yield made
    made.store.close()


def test_who_is_where_and_what_is_solved(room):
    ada, grace = room.learner("Ada"), room.learner("Grace")
    room.at(ada, "04", "Reuse")
    room.at(grace, "02", "A burst")
    room.at(ada, "02", "A burst")
    room.did(ada, attempt("02.1", solved=True))
    room.did(ada, attempt("02.1", solved=True))
    room.did(ada, {"kind": "hint", "notebook": "02", "exercise": "02.2", "number": 2})
    room.did(ada, {"kind": "solution", "notebook": "02", "exercise": "02.2"})
    assert room.room.places == {("02", "A burst"): 2}
    [first, _] = room.room.learners
    assert (set(first.solved), first.hints["02.2"], first.solutions) == ({"02.1"}, 2, {"02.2"})
    assert first.exercises == ["02.1", "02.2"]
    room.did(grace, attempt("02.1"))
    assert [tuple(each) for each in room.room.exercises] == [("02.1", 1, 1, 0, 0), ("02.2", 0, 0, 1, 1)]


def test_stuck_is_who_fails_one_check_for_over_five_minutes(room):
    ada = room.learner("Ada")
    room.at(ada, "04", "Reuse")
    room.did(ada, attempt(sentence='Not yet. First. (0 of 3 exercises of this notebook solved; hint("04.2") helps.)'))
    room.now += STUCK_S
    assert room.room.stuck == []
    room.did(ada, attempt(sentence='Not yet. Second. (1 of 3 exercises of this notebook solved; hint("04.2") helps.)'))
    room.now += 1
    [stuck] = room.room.stuck
    assert (stuck.member.name, stuck.exercise, stuck.sentence) == ("Ada", "04.2", "Not yet. Second.")
    assert room.now - stuck.since == STUCK_S + 1


@pytest.mark.parametrize(
    "then", [attempt(solved=True), {"kind": "section", "notebook": "05", "section": ""}, attempt("04.3", solved=True)]
)
def test_who_has_solved_it_or_gone_on_is_not_stuck(room, then):
    ada = room.learner("Ada")
    room.did(ada, attempt())
    room.now += 2 * STUCK_S
    room.did(ada, then)
    assert room.room.stuck == []


def test_who_fails_again_after_solving_it_begins_anew(room):
    ada = room.learner("Ada")
    room.did(ada, attempt())
    room.now += 2 * STUCK_S
    room.did(ada, attempt(solved=True))
    room.did(ada, attempt())
    assert room.room.stuck == []
    room.now += STUCK_S + 1
    room.store.seen(ada)
    assert len(room.room.stuck) == 1


def test_who_has_closed_the_notebook_is_away_and_not_stuck(room):
    ada = room.learner("Ada")
    room.at(ada, "04", "Reuse")
    room.did(ada, attempt())
    room.now += AWAY_S + 1
    assert room.room.stuck == [] and room.room.present == [] and room.room.places == {}
    assert len(room.room.learners) == 1


def test_what_comes_late_takes_its_place_in_time(room):
    ada = room.learner("Ada")
    then = room.now
    room.now += 100
    room.at(ada, "05", "Later")
    room.store.take(ada, [(99, {"kind": "section", "notebook": "02", "section": "Earlier", "at": then})])
    assert list(room.room.places) == [("05", "Later")]


def test_a_prediction_that_is_taken_back_does_not_count(room):
    from helpers.classroom.instructor.room import predictions_of

    ada = room.learner("Ada")
    room.did(ada, prediction("04.a", "12"))
    assert predictions_of(room.room.learners) == {"04.a": 1}
    room.now += 1
    room.did(ada, prediction("04.a", ""))
    assert predictions_of(room.room.learners) == {}


def test_hands_are_in_the_order_in_which_they_went_up(room):
    for name in ("Ada", "Grace", "Linus"):
        room.learner(name)
    ids = {each.name: each.id for each in room.store.members()}
    for name in ("Grace", "Ada"):
        room.now += 1
        room.store.raise_hand(ids[name], True)
    assert [each.name for each in room.room.hands] == ["Grace", "Ada"]


def test_figures_are_what_a_presenter_needs(room, tmp_path, monkeypatch):
    for name in ("Ada", "Grace", "Linus"):
        id = room.learner(name)
        room.at(id, "04", "Reuse")
        if name != "Linus":
            room.did(id, attempt(sentence="Not yet. It is cold."))
    room.store.raise_hand(id, True)
    room.now += STUCK_S + 1
    for member in room.store.members():
        room.store.seen(member.id)
    monkeypatch.setattr("helpers.classroom.instructor.store.time.time", lambda: room.now)
    monkeypatch.setattr(ClassStore.__init__, "__defaults__", (lambda: room.now,))
    assert classroom.figures(tmp_path) == Figures(
        learners=3,
        sections=(AtSection("04", "Reuse", 3),),
        stuck=(StuckAt("04.2", "Not yet. It is cold.", 2),),
        hands_up=("Linus",),
        is_served=False,
    )


def test_no_class_has_no_figures(tmp_path):
    assert classroom.figures(tmp_path) is None
    assert not list(tmp_path.iterdir()), "looking makes no file"


def test_a_class_that_has_ended_has_no_figures(room, tmp_path):
    room.learner("Ada")
    room.store.add("Grace", KEY)
    room.store.end()
    assert classroom.figures(tmp_path) is None
