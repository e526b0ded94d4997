"""A newer starter is merged into a reader's copy: nothing of the reader's is lost, all else becomes what is newer."""

import copy
import random
from datetime import date

import pytest

from helpers.own_copies.merge import merged, text_of

DAY = date(2026, 11, 30)


def cell(id: str, text: str, kind: str = "code", **more) -> dict:
    made = {"id": id, "cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)}
    if kind == "code":
        made |= {"outputs": [], "execution_count": None}
    return made | more


def ran(cell: dict) -> dict:
    """The same cell when it has run."""
    return cell | {"outputs": [{"output_type": "stream", "name": "stdout", "text": ["7\n"]}], "execution_count": 3}


def prose(id: str, text: str) -> dict:
    return cell(id, text, "markdown")


BASE = [prose("p1", "# 04 Cold start"), cell("make", "make()"), prose("p2", "Now look."), cell("look", "look()")]


def update(mine, theirs, base=BASE):
    return merged(mine, base, theirs, DAY)


def texts(cells) -> list[str]:
    return [text_of(each) for each in cells]


def kinds(changes) -> list[str]:
    return [each.kind for each in changes]


def changed(cells, **new: str):
    """These cells with other texts, by id; other than a reader's change, it does not run."""
    return [each | {"source": [new[each["id"]]]} if each["id"] in new else each for each in cells]


def test_where_the_starter_is_the_same_the_copy_stays():
    mine = [*map(copy.deepcopy, BASE), cell("own", "mine()")]
    mine[1] = ran(mine[1])
    assert update(mine, BASE) == (mine, [])


def test_a_copy_in_which_nobody_has_written_becomes_the_newer_starter():
    theirs = [prose("p1", "# 04 Cold start"), cell("make", "make(2)"), cell("new", "a = 1"), prose("p9", "Now look!")]
    cells, changes = update(BASE, theirs)
    assert cells == theirs
    assert sorted(kinds(changes)) == ["gone", "new", "renewed", "renewed"]


def test_what_ran_stays_with_the_code_that_ran():
    mine = [BASE[0], ran(BASE[1]), BASE[2], ran(BASE[3])]
    cells, changes = update(mine, changed(BASE, make="make(2)"))
    assert cells[1]["outputs"] == [] and cells[1]["execution_count"] is None
    assert cells[3] == ran(BASE[3])
    assert kinds(changes) == ["renewed"]


def test_a_cell_that_both_have_changed_stays_and_the_newer_is_below_it_and_does_not_run():
    mine = changed(BASE, make="make_mine()")
    mine[1] = ran(mine[1])
    cells, changes = update(mine, changed(BASE, make="make(2)"))
    assert cells[1] == mine[1]
    assert cells[2]["cell_type"] == "markdown"
    assert "You have changed the cell above, so it stays as it is." in text_of(cells[2])
    assert "2026-11-30" in text_of(cells[2])
    assert "```python\nmake(2)\n```" in text_of(cells[2])
    assert texts(cells[3:]) == ["Now look.", "look()"]
    assert kinds(changes) == ["beside"]


def test_code_with_a_fence_in_it_is_shown_whole():
    newer = 'print("""\n```\n""")'
    cells, _ = update(changed(BASE, make="mine()"), changed(BASE, make=newer))
    assert f"````python\n{newer}\n````" in text_of(cells[2])


def test_prose_that_both_have_changed_is_below_as_a_quotation():
    """The id of prose comes from its text, so the newer one has another."""
    mine = changed(BASE, p2="Now look. (My note.)")
    theirs = [*BASE[:2], prose("p7", "Now look here.\n\n- twice"), BASE[3]]
    cells, changes = update(mine, theirs)
    assert texts(cells)[2] == "Now look. (My note.)"
    assert text_of(cells[3]).endswith("\n\n> Now look here.\n>\n> - twice")
    assert kinds(changes) == ["beside"]


def test_a_reader_who_came_to_the_same_is_told_nothing():
    mine = changed(BASE, make="make(2)")
    assert update(mine, changed(BASE, make="make(2)")) == (mine, [])


def test_the_readers_own_cells_stay_below_what_they_are_about():
    mine = [BASE[0], BASE[1], cell("own", "make_once_more()"), BASE[2], BASE[3], cell("own2", "the_end()")]
    theirs = [BASE[0], BASE[1], cell("new", "new()"), BASE[2], BASE[3]]
    cells, changes = update(mine, theirs)
    assert [each["id"] for each in cells] == ["p1", "make", "own", "new", "p2", "look", "own2"]
    assert kinds(changes) == ["new"]


def test_new_cells_come_in_their_order_and_at_the_top_too():
    theirs = [cell("a", "a()"), *BASE[:2], cell("b", "b()"), cell("c", "c()"), *BASE[2:]]
    cells, _ = update(BASE, theirs)
    assert cells == theirs


def test_a_cell_that_the_reader_took_away_does_not_come_back():
    cells, changes = update([BASE[0], BASE[3]], changed(BASE, make="make(2)"))
    assert texts(cells) == ["# 04 Cold start", "look()"]
    assert changes == []


def test_a_cell_that_the_starter_no_longer_has_goes_unless_the_reader_has_changed_it():
    theirs = [BASE[0], BASE[3]]
    assert texts(update(BASE, theirs)[0]) == ["# 04 Cold start", "look()"]
    cells, changes = update(changed(BASE, make="mine()"), theirs)
    assert texts(cells) == ["# 04 Cold start", "mine()", "look()"]
    assert kinds(changes) == ["gone"]


def test_a_cell_that_gets_a_name_keeps_what_it_showed():
    mine = [*BASE[:3], ran(cell("0f3a", "look()"))]
    base = [*BASE[:3], cell("0f3a", "look()")]
    cells, changes = update(mine, BASE, base)
    assert cells[3] == ran(BASE[3])
    assert changes == []


def test_a_cell_that_is_folded_now_is_folded_in_the_copy_too():
    folded = {"jupyter": {"source_hidden": True}}
    theirs = [*BASE[:3], BASE[3] | {"metadata": folded}]
    mine = [*BASE[:3], ran(BASE[3])]
    assert update(mine, theirs)[0][3] == ran(BASE[3]) | {"metadata": folded}
    opened = [*BASE[:3], ran(BASE[3]) | {"metadata": {"jupyter": {"source_hidden": False}}}]
    assert update(opened, theirs)[0] == opened


def test_a_cell_that_has_moved_moves_with_what_it_showed_unless_the_reader_has_changed_it():
    theirs = [BASE[0], BASE[3], *BASE[1:3]]
    cells, changes = update([*BASE[:3], ran(BASE[3])], theirs)
    assert cells == [BASE[0], ran(BASE[3]), *BASE[1:3]]
    assert kinds(changes) == ["moved"]
    mine = changed(BASE, look="mine()")
    assert update(mine, theirs) == (mine, [])
    assert update(BASE, changed(theirs, look="look(2)"))[0] == changed(theirs, look="look(2)")


def test_cells_that_the_reader_has_put_in_another_order_stay_so():
    mine = [BASE[2], BASE[3], BASE[0], BASE[1]]
    assert texts(update(mine, changed(BASE, make="make(2)"))[0]) == [
        "Now look.",
        "look()",
        "# 04 Cold start",
        "make(2)",
    ]


def test_a_second_time_changes_nothing():
    mine = changed([*BASE, cell("own", "x")], make="mine()", p2="Now look. (My note.)")
    theirs = [BASE[0], cell("make", "make(2)"), prose("p7", "Now look here."), cell("new", "new()"), BASE[3]]
    once, _ = update(mine, theirs)
    assert update(once, theirs, theirs) == (once, [])
    assert update(once, theirs)[0] == once  # also where nobody knows that it was done


def test_the_next_version_of_a_cell_takes_the_place_of_the_one_that_was_shown():
    second = changed(BASE, make="make(2)")
    once, _ = update(changed(BASE, make="mine()"), second)
    twice, changes = merged(once, second, changed(BASE, make="make(3)"), date(2026, 12, 1))
    assert len(twice) == len(once)
    assert "make(3)" in text_of(twice[2]) and "2026-12-01" in text_of(twice[2])
    assert kinds(changes) == ["beside"]


def test_cells_without_an_id_are_the_readers_own():
    mine = [*BASE, {name: value for name, value in cell("x", "mine()").items() if name != "id"}]
    assert update(mine, [*BASE, cell("new", "new()")])[0][-2:] == [mine[-1], cell("new", "new()")]


@pytest.mark.parametrize("seed", range(200))
def test_nothing_that_a_reader_has_written_is_ever_lost(seed):
    """By chance: any base, any newer starter, any work in the copy."""
    chance = random.Random(seed)
    base = [chance.choice((cell, prose))(f"b{n}", f"text {n} {chance.randint(0, 2)}") for n in range(8)]
    theirs = []
    for each in base:
        what = chance.random()
        if what < 0.6:
            theirs.append(each)
        elif what < 0.75:
            theirs.append(each | {"source": [f"newer {each['id']}"]})
        elif what < 0.85:
            theirs.append(each | {"id": f"n{each['id']}", "source": [text_of(each) + " newer"]})
        if chance.random() < 0.2:
            theirs.append(cell(f"added-{each['id']}", f"added {each['id']}"))
        if chance.random() < 0.1:
            theirs[:] = theirs[-1:] + theirs[:-1]
    mine, written = [], []
    for each in base:
        what = chance.random()
        if what < 0.5:
            mine.append(copy.deepcopy(each))
        elif what < 0.9:
            written.append(f"mine {each['id']}")
            mine.append(each | {"source": [written[-1]]})
        if chance.random() < 0.2:
            written.append(f"own {each['id']}")
            mine.append(cell(f"own-{each['id']}", written[-1]))
    before = copy.deepcopy((mine, base, theirs))
    cells, _ = update(mine, theirs, base)
    assert (mine, base, theirs) == before
    assert [text for text in texts(cells) if text in written] == written, "all of it, in its order"
    ids = [each["id"] for each in cells]
    assert len(set(ids)) == len(ids)
    touched = {each["id"] for each in mine} | {each["id"] for each in base}
    assert {each["id"] for each in theirs if each["id"] not in touched and each["id"].startswith("added")} <= set(ids)
    assert update(cells, theirs, theirs) == (cells, [])
