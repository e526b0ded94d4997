"""The presenter page, for a second screen: notes of the section that is on, the clock, and what comes next."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from .. import classroom, settings
from ..errors import WorkshopError
from ..local_page import forms, style
from ..local_page.access import Access, guarded
from ..local_page.requests import body_of
from ..pages.templates import page_templates
from . import beside, clock
from .plans import Step
from .strings import words
from .talk import Talk

FOLDER = Path(__file__).parent
LARGEST = 10_000  # bytes of a request
MOST_PLACES = 5  # where the class is, besides the section that is on
DOES = ("next", "back", "go", "start", "stop")

templates = page_templates(FOLDER, words)
templates.filters["html"] = beside.html


def application(access: Access, talk: Talk, path_of: Callable[[str], str]) -> ASGIApp:
    """The page as an ASGI application. `path_of` gives the path in JupyterLab of a notebook by its number."""

    async def page(request: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(_rendered, "page.html", talk, proof=access.proof()))

    async def now(request: Request) -> Response:
        version = await talk.changed(_number(request.query_params.get("after"), -1))
        title = words("title", step=heading(talk.step))
        html = await run_in_threadpool(_rendered, "now.html", talk)
        return JSONResponse({"version": version, "title": title, "at": talk.at, "html": html})

    async def time(request: Request) -> Response:
        return JSONResponse(_clock(talk))

    async def learners(request: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(_rendered_class, talk.step))

    async def do(request: Request) -> Response:
        told = forms.read("", await body_of(request, LARGEST) or b"")
        if not access.proves(told.text("proof")):
            return PlainTextResponse(words("error.no_proof"), 403)
        step = _number(told.text("step"), talk.at)
        if told.text("do") not in DOES or not 0 <= step < len(talk.plan.steps):
            return PlainTextResponse(words("error.not_understood"), 400)
        if told.text("do") == "start":
            talk.start()
        elif told.text("do") == "stop":
            talk.stop()
        else:
            talk.ask(told.text("do"), step)
        return RedirectResponse("./", 303)

    async def plan(request: Request) -> Response:
        steps = [
            {"path": path_of(step.lesson.number), "heading": step.section.heading, "title": _long_heading(step)}
            for step in talk.plan.steps
        ]
        return JSONResponse({"steps": steps, "at": talk.at})

    async def asked(request: Request) -> Response:
        after = request.query_params.get("after")
        return JSONResponse(await talk.asked(None if after is None else _number(after, 0)))

    async def shown(request: Request) -> Response:
        try:
            told = json.loads((await body_of(request, LARGEST) or b"").decode("utf-8", "replace"))
            step, is_move = told["step"], told["is_move"]
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse(words("error.not_understood"), 400)
        if not isinstance(step, int) or not 0 <= step < len(talk.plan.steps) or not isinstance(is_move, bool):
            return PlainTextResponse(words("error.not_understood"), 400)
        talk.shown(step, is_move)
        return JSONResponse({"at": talk.at})

    async def missing(request: Request, error: Exception) -> Response:
        return PlainTextResponse(words("error.no_such_page"), 404)

    routes = [
        Route("/", page),
        Route("/now", now),
        Route("/clock", time),
        Route("/class", learners),
        Route("/do", do, methods=["POST"]),
        Route("/projector/plan", plan),
        Route("/projector/asked", asked),
        Route("/projector/shown", shown, methods=["POST"]),
        style.ROUTE,
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
    ]
    return guarded(Starlette(routes=routes, exception_handlers={404: missing}), access)


def heading(step: Step) -> str:
    """What a step is called within its notebook."""
    return step.section.heading or words("opening")


def _long_heading(step: Step) -> str:
    return f"{step.lesson.number} {step.lesson.title}: {heading(step)}"


def _rendered(template: str, talk: Talk, **values: Any) -> str:
    step, following = talk.step, talk.following
    try:
        notes, problem = beside.notes_of(step), ""
    except WorkshopError as error:
        notes, problem = beside.NO_NOTES, str(error)
    return templates.get_template(template).render(
        talk=talk,
        step=step,
        heading=heading,
        notes=notes,
        problem=problem,
        following=following,
        solution=beside.next_solution(talk.plan, talk.at),
        clock=_clock(talk),
        figure=_figure,
        learners=_rendered_class(step),
        **values,
    )


def _rendered_class(step: Step) -> str:
    """The class in a few numbers, where one is open on this machine; "" where none is."""
    try:
        figures, problem = classroom.figures(settings.home()), ""
    except WorkshopError as error:
        figures, problem = None, str(error)
    here = (step.lesson.number, step.section.heading)
    at = {(each.notebook, each.section): each.learners for each in figures.sections} if figures else {}
    elsewhere = sorted(((count, *place) for place, count in at.items() if place != here), reverse=True)
    return templates.get_template("class.html").render(
        figures=figures, problem=problem, here=at.get(here, 0), elsewhere=elsewhere[:MOST_PLACES]
    )


def _clock(talk: Talk) -> dict[str, str]:
    """The clock against the plan, in words."""
    pace = talk.pace()
    if pace is None:
        of_all = words("clock.planned", minutes=_figure(talk.plan.minutes))
        of_section = words("clock.planned", minutes=_figure(talk.step.minutes))
        return {"all": of_all, "section": of_section, "pace": "", "ends": words("clock.waits"), "is": ""}
    ends = datetime.now() + timedelta(seconds=pace.left)
    return {
        "all": words("clock.elapsed", elapsed=_time(pace.elapsed), minutes=_figure(pace.planned / 60)),
        "section": words("clock.section", spent=_time(pace.spent), minutes=_figure(talk.step.minutes)),
        "pace": _pace(pace),
        "ends": words("clock.ends", time=f"{ends:%H:%M}"),
        "is": "behind" if pace.ahead < 0 else "",
    }


def _pace(pace: clock.Pace) -> str:
    if not pace.ahead:
        return words("clock.on_time")
    minutes = max(1, round(abs(pace.ahead) / 60))
    return words("clock.ahead" if pace.ahead > 0 else "clock.behind", minutes=minutes)


def _time(seconds: float) -> str:
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _figure(minutes: float) -> str:
    return f"{round(minutes, 1):g}"


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else otherwise
