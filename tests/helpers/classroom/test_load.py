"""Sixty learners at once, as fast as they can: each entry arrives once, and the page answers all the while."""

import threading

from class_support import Page
from localaws_client import eventually

from helpers import settings
from helpers.classroom import load
from helpers.classroom.instructor.store import FILE, ClassStore

TURNS = 8


def test_sixty_learners_at_once(served):
    page, over, looked = Page(served), threading.Event(), []

    def look() -> None:
        while not over.is_set():
            looked.append(page.text())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        crowd = load.play(served.place, load.LEARNERS, TURNS, 0)
    finally:
        over.set()
        looking.join()
    assert len(crowd.sent) == load.LEARNERS * TURNS * load.ENTRIES
    assert sorted(load.arrived(served.store)) == sorted(load.expected(crowd))
    assert looked and "60 learners" in page.text()


def test_sixty_learners_while_the_class_is_started_again(open_class, instructor):
    with open_class() as served:
        place = served.place
        playing = threading.Thread(target=lambda: crowds.append(load.play(place, load.LEARNERS, TURNS, 0.5)))
        crowds: list[load.Crowd] = []
        playing.start()
        eventually(lambda: list(served.store.entries()))
    with open_class() as served:
        playing.join()
        [crowd] = crowds
        assert crowd.not_reached > 0, "some have asked while nobody was there"
        assert len(served.store.members()) == load.LEARNERS
    store = ClassStore(instructor / FILE)
    assert sorted(load.arrived(store)) == sorted(load.expected(crowd))
    store.close()


def test_figures_take_the_place_of_those_before(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    (tmp_path / "README.md").write_text(f"before\n{load.BEGIN}\nold\n{load.END}\nafter\n")
    load.write(["60 learners", "new \\1"])
    text = (tmp_path / "README.md").read_text()
    assert text == f"before\n{load.BEGIN}\n\n60 learners\nnew \\1\n\n{load.END}\nafter\n"


def test_the_page_has_a_place_for_them():
    text = (settings.ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count(load.BEGIN) == text.count(load.END) == 1
