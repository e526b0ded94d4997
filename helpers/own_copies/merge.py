"""Merges a newer starter into a reader's copy, cell by cell, knowing of what the copy was made.

What the reader has not changed becomes what the starter has. What both have changed stays the reader's, and the newer
cell is shown below it, as text that does not run. The reader's own cells, and what ran, stay where they are.
Standard library only.
"""

import copy
import difflib
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from ..lessons import headings
from ..pages.fenced import fenced

Cell = dict[str, Any]  # as it stands in a notebook's file

ALIKE = 0.4  # the part of two texts that is the same where one is the other's later form


class Change(NamedTuple):
    """One change to a reader's copy."""

    kind: str  # "new", "renewed", "moved", "gone", or "beside": below a cell that the reader has changed
    text: str  # of the newer cell, or of the one that is gone
    section: str  # the heading above it; "" before the first


class _Pair(NamedTuple):
    """A cell of the former starter and what it is in the newer one."""

    former: Cell
    newer: Cell


def merged(mine: list[Cell], base: list[Cell], theirs: list[Cell], today: date) -> tuple[list[Cell], list[Change]]:
    """The cells of the reader's copy with those of the newer starter, and what has changed; the arguments stay."""
    merge = _Merge(mine, base, theirs, today)
    pairs = list(_pairs(base, theirs))
    for former, newer in pairs:
        merge.meet(former, newer)
    paired = {cell["id"] for pair in pairs for cell in pair}
    for cell in base:
        if cell["id"] not in paired:
            merge.drop(cell)
    moved = _moved(base, theirs) & _moved(mine, theirs)
    for place, cell in enumerate(theirs):
        if cell["id"] in moved:
            merge.move(place)
        elif cell["id"] not in paired:
            merge.add(place)
    return merge.cells, merge.changes()


class _Merge:
    """The reader's cells, while they become the newer ones."""

    def __init__(self, mine: list[Cell], base: list[Cell], theirs: list[Cell], today: date) -> None:
        self.cells = copy.deepcopy(mine)
        self._theirs, self._today = theirs, today
        self._own = {cell.get("id"): cell for cell in self.cells}
        self._starters = {cell["id"] for each in (base, theirs) for cell in each}
        self._sections, self._places = _sections(base) | _sections(theirs), _places(base, theirs)
        self._changes: list[tuple[float, Change]] = []
        self._standing: dict[str, Cell] = {}  # by the id of a newer cell: the last of ours that stand for it
        self._unchanged: set[str] = set()  # the ids of newer cells whose former ones the reader has not changed

    def changes(self) -> list[Change]:
        """In the order of the newer starter."""
        return [each for _, each in sorted(self._changes, key=lambda found: found[0])]

    def meet(self, former: Cell, newer: Cell) -> None:
        """Make the reader's cell the newer one, or put the newer one beside it."""
        cell = self._own.get(former["id"]) or self._own.get(newer["id"])
        if cell is None:  # the reader has taken it away
            return
        self._standing[newer["id"]] = cell
        if _key(cell) in (_key(former), _key(newer)):
            self._unchanged.add(newer["id"])
        if _key(cell) == _key(newer):
            _adopt(cell, former, newer)
        elif _key(cell) == _key(former):
            _renew(cell, newer)
            self._note("renewed", newer)
        elif _key(former) != _key(newer):
            if newer["id"] not in self._own:  # so that the next update knows it again
                cell["id"] = newer["id"]
            self._put_below(cell, newer)

    def drop(self, former: Cell) -> None:
        """Take away what the newer starter no longer has, unless the reader has changed it."""
        cell = self._own.get(former["id"])
        if cell is not None and _key(cell) == _key(former):
            del self.cells[self._index(cell)]
            self._note("gone", former)

    def move(self, place: int) -> None:
        """Put a cell that the reader has not changed where it is in the newer starter."""
        newer = self._theirs[place]
        if newer["id"] in self._unchanged:
            cell = self._standing.pop(newer["id"])
            del self.cells[self._index(cell)]
            self._insert(place, cell)
            self._note("moved", newer)

    def add(self, place: int) -> None:
        """Add a cell that is new, unless it is there."""
        newer = self._theirs[place]
        if newer["id"] in self._own:
            self._standing[newer["id"]] = self._own[newer["id"]]
        else:
            self._insert(place, copy.deepcopy(newer))
            self._note("new", newer)

    def _note(self, kind: str, cell: Cell) -> None:
        id = cell["id"]
        self._changes.append((self._places[id], Change(kind, text_of(cell), self._sections[id])))

    def _insert(self, place: int, cell: Cell) -> None:
        """After the cell before it, and after what the reader has added below that."""
        ids = [each["id"] for each in reversed(self._theirs[:place])]
        before = next((self._standing[id] for id in ids if id in self._standing), None)
        index = 0 if before is None else self._index(before) + 1
        while before is not None and index < len(self.cells) and self.cells[index].get("id") not in self._starters:
            index += 1
        self.cells.insert(index, cell)
        self._standing[self._theirs[place]["id"]] = cell

    def _put_below(self, cell: Cell, newer: Cell) -> None:
        """Put a note below a cell, in the place of an earlier one about the same cell, unless it is there already."""
        note = _beside(newer, self._today)
        there = self._own.get(note["id"])
        if there is None:
            self.cells.insert(self._index(cell) + 1, note)
        elif _after_first_line(there) != _after_first_line(note):  # the first line has the date
            there.update(note)
        else:
            return
        self._note("beside", newer)
        self._standing[newer["id"]] = there or note

    def _index(self, cell: Cell) -> int:
        return next(index for index, each in enumerate(self.cells) if each is cell)


def text_of(cell: Cell) -> str:
    return "".join(cell["source"])


def _sections(cells: list[Cell]) -> dict[str, str]:
    """The section of each cell, by its id."""
    found, section = {}, ""
    for cell in cells:
        begun = headings(text_of(cell)) if cell["cell_type"] == "markdown" else []
        found[cell["id"]] = begun[0] if begun else section
        section = begun[-1] if begun else section
    return found


def _places(base: list[Cell], theirs: list[Cell]) -> dict[str, float]:
    """Where each cell is in the newer starter, by its id; one that is gone is after what it followed."""
    places: dict[str, float] = {cell["id"]: place for place, cell in enumerate(theirs)}
    last = -1.0
    for cell in base:
        last = places.setdefault(cell["id"], last + 0.5)
    return places


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


def _moved(former: list[Cell], newer: list[Cell]) -> set[str]:
    """The ids of the cells that two notebooks have in another order, as few as possible."""
    one, other = ([str(cell.get("id")) for cell in each] for each in (former, newer))
    both = set(one) & set(other)
    one, other = ([id for id in each if id in both] for each in (one, other))
    blocks = difflib.SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return both - {id for block in blocks for id in one[block.a : block.a + block.size]}


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
        shown = fenced(text, "python")
    else:
        shown = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    source = f"**{what}** ({today.isoformat()}):\n\n{shown}"
    return {
        "cell_type": "markdown",
        "id": f"newer-{newer['id']}"[:64],  # the most that a notebook's format allows
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }


def _after_first_line(cell: Cell) -> str:
    return text_of(cell).partition("\n")[2]
