"""Reads the notes of a section: what an instructor says there, and for how long. No notebook shows them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import WorkshopError

ORDER = ("Minutes", "Say", "Goes wrong", "Answer", "Skip")
ANSWER = "Answer"  # has the key of its prediction behind it, as in "Answer 04.a: …"
PARAGRAPH = re.compile(r"(?P<label>[A-Z][a-z]*(?: [a-z]+)?)(?: (?P<key>\S+))?:\s+(?P<text>\S.*)", re.DOTALL)


class NotesError(WorkshopError):
    """Notes that are not as they have to be; one sentence for their author."""


class Notes(NamedTuple):
    """What the notes of one section say, each in CommonMark; "" where they say nothing of it."""

    minutes: int
    say: str
    goes_wrong: str
    answers: dict[str, str]  # by the prediction's key, such as 04.a
    skip: str


def read(text: str) -> Notes:
    """The notes that a cell holds. Raises NotesError."""
    if found := problems(text):
        raise NotesError(f"Notes are not as they have to be: {found[0]}.")
    said: dict[str, list[str]] = {}
    answers: dict[str, list[str]] = {}
    for label, key, paragraph in _paragraphs(text):
        (answers.setdefault(key, []) if label == ANSWER else said.setdefault(label, [])).append(paragraph)
    joined = {label: "\n\n".join(said.get(label, ())) for label in ORDER}
    return Notes(
        int(joined["Minutes"]),
        joined["Say"],
        joined["Goes wrong"],
        {key: "\n\n".join(paragraphs) for key, paragraphs in answers.items()},
        joined["Skip"],
    )


def problems(text: str) -> list[str]:
    """What an author has to correct in a cell of notes."""
    labels, found, minutes = [], [], []
    for label, key, paragraph in _paragraphs(text):
        if label not in ORDER or bool(key) != (label == ANSWER):
            begins = " ".join(paragraph.split()) if not label else f"{label} {key}".strip() + ":"
            wanted = f"begin it with {', '.join(f'`{each}:`' for each in ORDER if each != ANSWER)} or `Answer 04.a:`"
            found.append(f"a paragraph begins with `{begins[:40]}`; {wanted}")
            continue
        labels.append(label)
        minutes += [paragraph] if label == "Minutes" else []
    if labels != sorted(labels, key=ORDER.index):
        found.append(f"its paragraphs are not in this order: {', '.join(ORDER)}")
    if len(minutes) != 1 or not re.fullmatch(r"\d{1,3}", minutes[0]):
        found.append("its minutes are no whole number; begin with `Minutes: 6`")
    if "Say" not in labels:
        found.append("it does not say what to say; write a paragraph that begins with `Say:`")
    return found


def _paragraphs(text: str) -> Iterator[tuple[str, str, str]]:
    """Each paragraph by its label and, of an answer, its key; "" where it begins with none."""
    for paragraph in re.split(r"\n[ \t]*\n", text.strip()):
        if match := PARAGRAPH.fullmatch(paragraph.strip()):
            yield match["label"], match["key"] or "", match["text"]
        else:
            yield "", "", paragraph
