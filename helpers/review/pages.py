"""Puts a session into pages, and writes them as one folder, whole or not at all."""

import base64
import csv
import hashlib
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from ..errors import WorkshopError
from ..files.whole_folder import whole_folder
from ..lessons import Slide
from ..local_page import style
from ..masks import masked
from ..pages import highlight
from ..pages.spreadsheets import no_formula
from ..pages.templates import page_templates
from . import again, answers, chart, guesses, markup, session, way
from .guesses import Verdict
from .notebooks import Notebook, Section, headings, text_of
from .session import Entry, Session
from .strings import words

SHOWN_ROWS = 20
LONG = ("request_id", "environment")  # columns of ids, which say little and are wide: they come last, cut short
ID = 8  # letters of them
FIRST = "index.html"
SIGN = '<meta name="generator" content="lambda-workshop review">'


class ReviewError(WorkshopError):
    """The review cannot be written; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Table:
    """A table that was measured, as a page shows it, and the file that has all rows that are kept."""

    name: str
    time: datetime
    columns: list[str]
    rows: list[list[str]]
    total: int
    kept: int
    file: str
    content: str


@dataclass(frozen=True)
class Chapter(again.Done):
    """What was done in one notebook, and all that a page shows of it."""

    older: list[Notebook]
    seconds: float
    tables: list[Table]

    @property
    def sections(self) -> list[Section]:
        """Those in which there is something to run."""
        return [each for each in self.notebook.sections if each.code]

    @property
    def sections_run(self) -> int:
        return sum(1 for each in self.sections if each.was_run or each.heading in self.headings)

    @property
    def solved(self) -> int:
        return sum(1 for each in self.works if each.is_solved)


def write(folder: Path, *, deck: bool = False) -> bool:
    """Write the review into the folder; False for a session that is empty, of which the page says so.

    What another review has written there is replaced; nothing else is. Raises ReviewError.
    """
    _require_ours(folder)
    kept = session.read()
    files = _files(kept, deck)
    try:
        with whole_folder(folder, 0o700) as new:  # what is in it is the learner's alone
            for name, text in files.items():
                (new / name).parent.mkdir(exist_ok=True)
                (new / name).write_text(text, encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise ReviewError.about_file(error, folder) from None
    return not kept.is_empty


def _require_ours(folder: Path) -> None:
    """Raises ReviewError for a folder that holds anything else than a review."""
    if folder.exists() and not folder.is_dir():
        raise ReviewError(words("error.file", folder=folder))
    if not folder.exists() or not os.listdir(folder):
        return
    first = folder / FIRST
    is_ours = first.is_file() and SIGN in first.read_text(encoding="utf-8", errors="replace")[:2_000]
    if not is_ours or not {each.name for each in folder.iterdir()} <= {FIRST, "notebooks", "tables"}:
        raise ReviewError(words("error.full", folder=folder))


def _files(kept: Session, deck: bool) -> dict[str, str]:
    """Each file of the review, by its path in the folder."""
    if kept.is_empty:
        return {FIRST: _page("empty.html", root="")}
    sittings = way.sittings(kept.entries)
    chapters = _chapters(kept, sittings)
    begun = [each for each in chapters if each.is_begun]
    in_order = _by_slides(chapters) if deck else sorted(begun, key=_when_begun(sittings))
    all_guesses = [guess for chapter in in_order for guess in chapter.guesses]
    strays = _tables(kept, "")
    files = {
        FIRST: _page(
            "index.html",
            root="",
            kept=kept,
            deck=deck,
            sittings=sittings,
            chapters=in_order,
            parts=[(part, list(group)) for part, group in groupby(in_order, lambda chapter: chapter.lesson.part)],
            begun=begun,
            things=again.things(chapters),
            again=again,
            pause=round(way.PAUSE_S / 60),
            guesses=all_guesses,
            counts={each.value: sum(1 for guess in all_guesses if guess.verdict is each) for each in Verdict},
            chart=chart.chart(all_guesses),
            bills=kept.of_kind("bill"),
            slides=_slides(chapters),
            by_number={each.lesson.number: each for each in chapters},
            strays=strays,
            most=len(chapters),
            now=datetime.now().astimezone(),
        )
    }
    names = [each.lesson.stem for each in begun]
    for chapter in begun:
        for notebook in (chapter.notebook, *chapter.older):
            files[notebook.page] = _notebook_page(chapter, notebook, names)
    for table in [*strays, *(table for chapter in chapters for table in chapter.tables)]:
        files[table.file] = table.content
    return files


def _chapters(kept: Session, sittings: list[way.Sitting]) -> list[Chapter]:
    seconds = way.seconds_by_notebook(sittings)
    chapters = []
    for lesson in kept.lessons:
        notebook = kept.notebooks[lesson.number]
        visited = frozenset(each.told["section"] for each in kept.of_kind("section") if each.notebook == lesson.number)
        works, guessed = answers.works(kept, lesson), guesses.guesses(kept, lesson)
        older = kept.older[lesson.number]
        was_run = any(each.was_run for each in (notebook, *older))
        is_begun = bool(lesson.number in seconds or was_run or guessed or any(each.was_touched for each in works))
        chapters.append(
            Chapter(
                lesson=lesson,
                notebook=notebook,
                is_begun=is_begun,
                works=works,
                guesses=guessed,
                headings=visited,
                older=older,
                seconds=seconds.get(lesson.number, 0.0),
                tables=_tables(kept, lesson.number),
            )
        )
    return chapters


def _when_begun(sittings: list[way.Sitting]) -> Any:
    order = {number: place for place, number in enumerate(way.seconds_by_notebook(sittings))}
    return lambda chapter: (order.get(chapter.lesson.number, len(order)), chapter.lesson.number)


def _by_slides(chapters: list[Chapter]) -> list[Chapter]:
    """The order of the slides; a notebook outside of them comes first, and only where it was begun."""
    outside = [each for each in chapters if not each.lesson.slides and each.is_begun]
    inside = [each for each in chapters if each.lesson.slides]
    return outside + sorted(inside, key=lambda chapter: (chapter.lesson.slides[0].first, chapter.lesson.number))


def _slides(chapters: list[Chapter]) -> list[tuple[Slide, list[Chapter]]]:
    """Each section of the slides, and the notebooks that go through it."""
    found: dict[tuple[int, str], tuple[Slide, list[Chapter]]] = {}
    for chapter in chapters:
        for slide in chapter.lesson.slides:
            found.setdefault((slide.first, slide.original), (slide, []))[1].append(chapter)
    return [found[key] for key in sorted(found)]


def _tables(kept: Session, notebook: str) -> list[Table]:
    tables: list[Table] = []
    before: tuple[Any, ...] = ()
    for entry in kept.of_kind("table"):
        told = entry.told
        if entry.notebook != notebook or (told["name"], told["rows"]) == before:
            continue  # the same was read once more
        before = (told["name"], told["rows"])
        file = f"tables/{notebook or 'other'}-{len(tables) + 1}.csv"
        tables.append(_table(entry, file))
    return tables


def _table(entry: Entry, file: str) -> Table:
    told = entry.told["columns"]
    order = sorted(range(len(told)), key=lambda place: str(told[place]) in LONG)
    columns = [masked(str(told[place])) for place in order]
    whole = (row for row in entry.told["rows"] if isinstance(row, list))
    rows = [[_shown(row[place]) if place < len(row) else "" for place in order] for row in whole]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(map(no_formula, row) for row in (columns, *rows))
    total = entry.told.get("total")
    total = max(total, len(rows)) if isinstance(total, int) else len(rows)
    name = masked(entry.told["name"])
    shown = [[_short(column, text) for column, text in zip(columns, row, strict=True)] for row in rows[:SHOWN_ROWS]]
    return Table(name, entry.time, columns, shown, total, len(rows), file, written.getvalue())


def _short(column: str, text: str) -> str:
    """An id as a page shows it: enough to tell it from the others."""
    if column not in LONG or len(text) <= ID:
        return text
    return f"{text[:ID]}…" if column == "request_id" else f"…{text[-ID:]}"


def _shown(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
    return masked(str(value))


# pages


def _notebook_page(chapter: Chapter, notebook: Notebook, names: list[str]) -> str:
    prose = markup.Prose({f"{name}.ipynb": f"{name}.html" for name in names}.get)
    waiting = list(notebook.sections[1:])
    cells: list[dict[str, Any]] = []
    for cell in notebook.cells:
        if cell.kind == "markdown":
            begins = [waiting.pop(0) for _ in headings(cell)]
            cells.append({"prose": prose.cell(cell.text, begins)})
        elif cell.kind == "code":
            cells.append({"code": masked(cell.text), "outputs": list(_outputs(cell))})
        else:
            cells.append({"prose": markup.plain(masked(cell.text))})
    return _page("notebook.html", root="../", chapter=chapter, notebook=notebook, cells=cells)


def _outputs(cell: Any) -> Iterable[Any]:
    for place, output in enumerate(cell.outputs):
        if place in cell.pictures:
            yield {"picture": cell.pictures[place]}
            continue
        for kind, text in text_of(output):
            if kind == "html":
                yield {"html": markup.table(text, words("output"))}
            elif kind == "markdown":
                yield {"html": markup.markdown_output(text)}
            elif text.strip():
                yield {"html": markup.plain(text)}


def _page(template: str, **context: Any) -> str:
    sheets = [file.read_text(encoding="utf-8") for file in (style.FILE, Path(__file__).with_name("review.css"))]
    css = "".join([*sheets, highlight.style_sheet()])
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return templates.get_template(template).render(
        style=css, policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:", sign=SIGN, **context
    )


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 60:
        return words("time.minutes", n=minutes) if minutes else words("time.less")
    if minutes % 60 == 0:
        return words("time.hours.whole", n=minutes // 60)
    return words("time.hours", hours=minutes // 60, minutes=minutes % 60)


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}"


# nothing that hides, or turns a text around
templates = page_templates(
    Path(__file__).parent, words, finalize=lambda value: markup.seen(value) if type(value) is str else value
)
templates.globals["code"] = markup.code
templates.filters |= {
    "inline": markup.inline,
    "minutes": _minutes,
    "times": _times,
    "masked": lambda text: masked(str(text)),
    "day": lambda time: f"{time:%A, %d %B %Y}".replace(" 0", " "),
    "moment": lambda time: f"{time:%d %b %Y, %H:%M}".lstrip("0"),
    "clock": lambda time: f"{time:%H:%M}",
}
