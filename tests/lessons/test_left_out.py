"""What the notes let an instructor leave out altogether makes nothing that later cells need."""

import symtable
from collections.abc import Iterator

import pytest

from helpers import lessons
from helpers.authoring.source import Section, Source, solved

ALTOGETHER = ("All of it", "The whole section", "It can be homework")
HERE_ALONE = "on the embedded AWS"  # on AWS, 13 closes what the section has opened


def names(section: Section) -> tuple[set[str], set[str]]:
    """What the cells of a section make, and what they use."""
    code = "\n".join(solved(cell.text) for cell in section.cells if cell.kind == "code")
    table = symtable.symtable(code, section.heading, "exec")
    made = {each.get_name() for each in table.get_symbols() if each.is_assigned() or each.is_imported()}
    return made, set(_used(table))


def _used(table: symtable.SymbolTable) -> Iterator[str]:
    is_module = table.get_type() == "module"
    yield from (
        each.get_name() for each in table.get_symbols() if each.is_referenced() and (is_module or each.is_global())
    )
    for child in table.get_children():
        yield from _used(child)


def needed_later(sections: list[Section], place: int) -> dict[str, set[str]]:
    """The names that only this section makes and later ones use, by the headings of those."""
    made, _ = names(sections[place])
    there = set().union(*(names(each)[0] for each in sections[:place]))
    found = {}
    for later in sections[place + 1 :]:
        makes, uses = names(later)
        there |= makes
        if missing := (uses & made) - there:
            found[later.heading] = missing
    return found


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda lesson: lesson.stem)
def test_what_is_left_out_altogether_is_needed_by_no_later_cell(lesson):
    made_of = Source(lesson)
    left_out = [
        place
        for place, section in enumerate(made_of.sections)
        if (skip := made_of.notes[section.heading].skip).startswith(ALTOGETHER) and HERE_ALONE not in skip
    ]
    needed = {made_of.sections[place].heading: needed_later(made_of.sections, place) for place in left_out}
    assert {heading: found for heading, found in needed.items() if found} == {}


def test_what_a_later_section_needs_is_found():
    made_of = Source(lessons.lesson("04"))
    headings = [section.heading for section in made_of.sections]
    needed = needed_later(made_of.sections, headings.index("An experiment that needs a while"))
    assert "pinged" in needed["What to do about it"]
    assert "What a cold start is" not in needed, "an evening goes on there"
