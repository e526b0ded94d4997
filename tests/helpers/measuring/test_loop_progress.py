"""track() yields every item, and shows how many are done."""

import importlib

import pytest

from helpers import track

MODULE = importlib.import_module("helpers.measuring.loop_progress")


class Shown(list):
    """Stands in for IPython's display: keeps every text that was shown."""

    def __call__(self, text, display_id):
        assert display_id is True
        self.append(text.data)
        return self

    def update(self, text):
        self.append(text.data)


def test_where_nothing_can_be_shown_the_items_come_all_the_same(monkeypatch):
    monkeypatch.setattr(MODULE, "display", lambda *_, **__: None)  # as IPython's in a script
    assert list(track([1, 2], "all")) == [1, 2]


@pytest.fixture
def shown(monkeypatch) -> Shown:
    kept = Shown()
    monkeypatch.setattr(MODULE, "display", kept)
    return kept


def test_it_begins_at_none_and_ends_with_all(shown):
    assert list(track("abc", "letters")) == ["a", "b", "c"]
    assert shown[0] == "letters: 0 of 3"
    assert shown[-1] == "letters: 3 of 3"


def test_where_there_is_nothing_to_do_it_shows_nothing(shown):
    assert list(track([], "seconds")) == []
    assert shown == []


def test_a_generator_needs_a_total(shown):
    assert list(track((n for n in (1, 2)), "calls", total=2)) == [1, 2]
    assert shown[-1] == "calls: 2 of 2"
    with pytest.raises(TypeError):
        list(track((n for n in (1, 2)), "calls"))


def test_what_is_not_finished_is_not_counted(shown, monkeypatch):
    monkeypatch.setattr(MODULE, "EVERY_S", -1.0)
    for item in track([1, 2, 3], "calls"):
        if item == 2:
            break
    assert shown == ["calls: 0 of 3", "calls: 1 of 3"]
