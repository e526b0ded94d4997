"""Merges a newer starter into a reader's copy, cell by cell, knowing of what the copy was made.

What the reader has not changed becomes what the starter has. What both have changed stays the reader's, and the newer
cell is shown below it, as text that does not run. The reader's own cells, and what ran, stay where they are.
Standard library only.
"""

import copy
import difflib
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

Cell = dict[str, Any]  # as it stands in a notebook's file

ALIKE = 0.4  # the part of two texts that is the same where one is the other's later form
HEADING = re.compile(r"^## +(?P<text>.+)", re.MULTILINE)


class Change(NamedTuple):
    """One change to a reader's copy."""

    kind: str  # "new", "renewed", "gone", or "beside": below a cell that the reader has changed
    text: str  # of the newer cell, or of the one that is gone
    section: str  # the heading above it; "" before the first


class _Pair(NamedTuple):
    """A cell of the former starter and what it is in the newer one."""

    former: Cell
    newer: Cell


def merged(mine: list[Cell], base: list[Cell], theirs: list[Cell], today: date) -> tuple[list[Cell], list[Change]]:
    """The cells of the reader's copy with those of the newer starter, and what has changed; the arguments stay."""
    cells = copy.deepcopy(mine)
    changes: list[Change] = []
    own = {cell.get("id"): cell for cell in cells}
    pairs = list(_pairs(base, theirs))
    sections = _sections(base) | _sections(theirs)

    def change(kind: str, cell: Cell) -> None:
        changes.append(Change(kind, text_of(cell), sections[cell["id"]]))

    standing: dict[str, Cell] = {}  # the id of a newer cell: the last of the copy's cells that stand for it
    for former, newer in pairs:
        cell = own.get(former["id"]) or own.get(newer["id"])
        if cell is None:  # the reader has taken it away
            continue
        standing[newer["id"]] = cell
        if _key(cell) == _key(newer):
            _adopt(cell, former, newer)
        elif _key(cell) == _key(former):
            _renew(cell, newer)
            change("renewed", newer)
        elif _key(former) != _key(newer):
            if newer["id"] not in own:  # so that the next update knows it again
                cell["id"] = newer["id"]
            note = _beside(newer, today)
            if _put_below(cells, cell, note):
                change("beside", newer)
            standing[newer["id"]] = next(each for each in cells if each.get("id") == note["id"])
    for cell in _gone(base, pairs):
        if (found := own.get(cell["id"])) and _key(found) == _key(cell):
            cells[:] = [each for each in cells if each is not found]
            change("gone", cell)
    known = {newer["id"] for _, newer in pairs}
    for place, cell in enumerate(theirs):
        if cell["id"] not in known and cell["id"] not in own:
            before = next((standing[each["id"]] for each in reversed(theirs[:place]) if each["id"] in standing), None)
            added = copy.deepcopy(cell)
            cells.insert(_place_after(cells, before, own, base, theirs), added)
            standing[cell["id"]] = added
            change("new", cell)
        elif cell["id"] not in known:
            standing[cell["id"]] = own[cell["id"]]
    return cells, changes


def text_of(cell: Cell) -> str:
    return "".join(cell["source"])


def _sections(cells: list[Cell]) -> dict[str, str]:
    """The section of each cell, by its id."""
    found, section = {}, ""
    for cell in cells:
        if cell["cell_type"] == "markdown" and (headings := HEADING.findall(text_of(cell))):
            section = headings[-1]
        found[cell["id"]] = section
    return found


def _pairs(base: list[Cell], theirs: list[Cell]) -> Iterator[_Pair]:
    """Cells with the same id; and where ids differ (that of prose comes from its text), those that are alike."""
    former, newer = ({cell["id"]: cell for cell in each} for each in (base, theirs))
    yield from (_Pair(former[id], newer[id]) for id in former if id in newer)
    matcher = difflib.SequenceMatcher(None, list(former), list(newer), autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "replace":
            gone = [cell for cell in base[i1:i2] if cell["id"] not in newer]
            come = [cell for cell in theirs[j1:j2] if cell["id"] not in former]
            yield from _alike(gone, come)


def _alike(gone: list[Cell], come: list[Cell]) -> Iterator[_Pair]:
    """In the order of both."""
    rest = list(come)
    for cell in gone:
        found = next((each for each in rest if _are_alike(cell, each)), None)
        if found:
            rest = rest[rest.index(found) + 1 :]
            yield _Pair(cell, found)


def _are_alike(one: Cell, other: Cell) -> bool:
    same_type = one["cell_type"] == other["cell_type"]
    return same_type and difflib.SequenceMatcher(None, text_of(one), text_of(other), autojunk=False).ratio() >= ALIKE


def _gone(base: list[Cell], pairs: list[_Pair]) -> list[Cell]:
    paired = {former["id"] for former, _ in pairs}
    return [cell for cell in base if cell["id"] not in paired]


def _key(cell: Cell) -> tuple[str, str]:
    return cell["cell_type"], text_of(cell)


def _adopt(cell: Cell, former: Cell, newer: Cell) -> None:
    """The text is the same: the id and what else the starter says of it are the newer ones; what it showed stays."""
    cell["id"] = newer["id"]
    if cell.get("metadata") == former.get("metadata"):
        cell["metadata"] = copy.deepcopy(newer["metadata"])


def _renew(cell: Cell, newer: Cell) -> None:
    """Outputs go with the code that made them."""
    cell.clear()
    cell.update(copy.deepcopy(newer))


def _beside(newer: Cell, today: date) -> Cell:
    """A cell that shows the newer one, as text: a cell of code would undo what the reader's own has done."""
    text = text_of(newer)
    what = "You have changed the cell above, so it stays as it is. The workshop has a newer one"
    if newer["cell_type"] == "code":
        longest = max(map(len, re.findall("`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        shown = f"{fence}python\n{text}\n{fence}"
    else:
        shown = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    source = f"**{what}** ({today.isoformat()}):\n\n{shown}"
    return {
        "cell_type": "markdown",
        "id": f"newer-{newer['id']}"[:64],  # the most that a notebook's format allows
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }


def _put_below(cells: list[Cell], cell: Cell, note: Cell) -> bool:
    """Put a note below a cell, in the place of an earlier one about the same cell; False if it is there already."""
    there = next((each for each in cells if each.get("id") == note["id"]), None)
    if there is None:
        cells.insert(_index(cells, cell) + 1, note)
        return True
    shown = text_of(there).partition("\n")[2] != text_of(note).partition("\n")[2]  # the first line has the date
    if shown:
        there.update(note)
    return shown


def _place_after(
    cells: list[Cell], before: Cell | None, own: dict[Any, Cell], base: list[Cell], theirs: list[Cell]
) -> int:
    """Where a new cell goes: after the one before it, and after what the reader has added below that."""
    place = 0 if before is None else _index(cells, before) + 1
    starters = {cell["id"] for each in (base, theirs) for cell in each}
    while before is not None and place < len(cells) and cells[place].get("id") not in starters:
        place += 1
    return place


def _index(cells: list[Cell], cell: Cell) -> int:
    return next(place for place, each in enumerate(cells) if each is cell)
