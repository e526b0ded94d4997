"""Writes the map of the workshop into README.md: a table with a row for each lesson, between two marks."""

from pathlib import Path

from ..files.marks import between
from ..lessons import Lesson

BEGIN, END = "<!-- The map: `python3 -m helpers build` writes it. -->", "<!-- The map ends. -->"
MAP = between(BEGIN, END)


def write(path: Path, lessons: list[Lesson]) -> None:
    """Write the map between the marks; what stands around them stays. A README without them stays as it is."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if (mapped := _with_map(text, path, lessons)) != text:
        path.write_text(mapped, encoding="utf-8")


def problems(path: Path, lessons: list[Lesson]) -> list[str]:
    """What is wrong with the map of a README: one sentence, or nothing."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if not MAP.search(text):
        return [f"{path.name} has no place for the map of the lessons; write a line `{BEGIN}` and a line `{END}`."]
    if _with_map(text, path, lessons) != text:
        return [f"The map in {path.name} is not what the lessons say; run `python3 -m helpers build`."]
    return []


def _with_map(text: str, path: Path, lessons: list[Lesson]) -> str:
    rows = [f"| {each.number} | {_link(each, path)} | {each.minutes} min | {each.learn} |" for each in lessons]
    table = "\n".join(["", "| | notebook | | you learn to |", "|---|---|---|---|", *rows, "", ""])
    return MAP.sub(lambda _: table, text, count=1)


def _link(lesson: Lesson, path: Path) -> str:
    return f"[{lesson.title}]({lesson.starter_path.relative_to(path.parent).as_posix()})"
