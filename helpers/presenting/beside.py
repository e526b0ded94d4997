"""Says what stands beside a section on the presenter page: notes, the next exercise, and how learners get there."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token

from ..authoring.notes import Notes
from ..authoring.source import Source, is_exercise
from ..exercises.exercise import Exercise
from ..session import progress
from .plans import Plan, Step

NO_NOTES = Notes(0, "", "", {}, "")


class Solution(NamedTuple):
    """The answer of an exercise, to paste."""

    number: str
    title: str
    text: str
    file: str  # of a lab: the name of the file that it goes into; else ""


def notes_of(step: Step) -> Notes:
    """What the instructor says at a step; empty where the section has no notes. Raises NotesError."""
    return Source(step.lesson).notes.get(step.section.heading, NO_NOTES)


def next_solution(plan: Plan, at: int) -> Solution | None:
    """The answer of the next exercise of the notebook that is on, as far as the plan goes; None where there is none."""
    lesson = plan.steps[at].lesson
    for step in plan.steps[at:]:
        if step.lesson != lesson:
            return None
        for exercise in exercises_of(step):
            language = progress.language()
            file = exercise.lab.answer(language).name if exercise.lab else ""
            return Solution(exercise.number, exercise.title, exercise.answer(language).rstrip(), file)
    return None


def exercises_of(step: Step) -> Iterator[Exercise]:
    """The exercises that stand in the section of a step."""
    numbered = {exercise.number: exercise for exercise in step.lesson.exercises}
    place = 0  # among the exercises of the notebook
    for section in Source(step.lesson).sections:
        for cell in section.cells:
            if cell.kind == "code" and is_exercise(cell.text):
                place += 1
                if section.heading == step.section.heading:
                    yield numbered.get(f"{step.lesson.number}.{place}") or numbered[step.lesson.number]


def html(markdown: str) -> str:
    """CommonMark as HTML. What it holds of HTML is text; a link that leads nowhere from here is its text."""
    return str(MarkdownIt("commonmark", {"html": False}).use(_links_that_lead_somewhere).render(markdown))


def _links_that_lead_somewhere(markdown: MarkdownIt) -> None:
    def keep(self: RendererProtocol, tokens: list[Token], place: int, options: object, env: object) -> str:
        # a link's two tokens are of one level, and no link is inside of another
        opening = next(each for each in reversed(tokens[: place + 1]) if each.type == "link_open")
        href = str(opening.attrs.get("href", ""))
        if urlsplit(href).scheme not in ("http", "https"):
            return ""
        if tokens[place].type == "link_close":
            return "</a>"
        opening.attrs |= {"target": "_blank", "rel": "noreferrer"}
        return str(self.renderToken(tokens, place, options, env))  # type: ignore[attr-defined]

    markdown.add_render_rule("link_open", keep)
    markdown.add_render_rule("link_close", keep)
