"""The page of the class, for the instructor alone: the overview, the predictions for a projector, and the end."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ...files.whole_file import write_private
from ...local_page import forms, style
from ...local_page.access import Access, guarded
from ...local_page.forms import Form
from ...local_page.requests import body_of, root_of
from ...pages.templates import page_templates
from ..place import ClassError, Place
from . import predictions
from .room import predictions_of, room_of
from .store import ClassStore
from .strings import words
from .table import csv_of

HERE = Path(__file__).parent
LARGEST = 16 * 2**10  # bytes of a form
UNITS = ((3600, "h"), (60, "min"), (1, "s"))

templates = page_templates(HERE, words)


def duration(seconds: float) -> str:
    """How long, in the largest unit that it fills, e.g. "7 min"."""
    size, unit = next(each for each in UNITS if seconds >= each[0] or each[0] == 1)
    return f"{max(int(seconds // size), 0)} {unit}"


templates.filters["duration"] = duration


class ClassPage:
    """The pages of one class."""

    def __init__(self, store: ClassStore, access: Access, place: Place) -> None:
        self._store, self._access, self._place = store, access, place

    def application(self) -> ASGIApp:
        """The pages as an ASGI application, for whoever `access` lets in."""
        routes = [
            Route("/", self._screen(self._overview, self._act), methods=["GET", "POST"]),
            Route("/learners/{id}", self._screen(self._learner, self._remove), methods=["GET", "POST"]),
            Route("/predictions", self._screen(self._questions)),
            Route("/predictions/{key}", self._screen(self._prediction)),
            Route("/end", self._screen(self._ending, self._end), methods=["GET", "POST"]),
            style.ROUTE,
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]
        alone = {404: partial(self._alone, "error.no_such_page"), 500: partial(self._alone, "error.ours")}
        return guarded(Starlette(routes=routes, exception_handlers=alone), self._access)

    def _screen(
        self, show: Callable[[Request], Response], act: Callable[[Request, Form], Response] | None = None
    ) -> Callable[[Request], Any]:
        async def respond(request: Request) -> Response:
            try:
                return await answer(request)
            except ClassError as error:  # of its file
                return HTMLResponse(self._text(request, "alone.html", sentence=str(error)), 503)

        async def answer(request: Request) -> Response:
            if not self._store.is_open and request.url.path != "/end":
                return RedirectResponse(f"{root_of(request)}end", 303)
            if request.method != "POST" or act is None:
                return await run_in_threadpool(show, request)
            body = await body_of(request, LARGEST)
            if body is None:
                return await self._alone("error.too_large", request, status=413)
            form = forms.read("", body)
            if not self._access.proves(form.text("proof")):
                return await self._alone("error.no_proof", request, status=403)
            return await run_in_threadpool(act, request, form)

        return respond

    # the overview

    def _overview(self, request: Request) -> Response:
        room = room_of(self._store)
        return self._render(request, "overview.html", room=room, place=self._place, messages=self._store.messages())

    def _act(self, request: Request, form: Form) -> Response:
        """What a button of the overview does."""
        learner = form.text("learner")
        match form.text("do"):
            case "say":
                if not form.text("text").strip():
                    return self._go(request, "message.empty")
                self._store.say(form.text("text"))
                return self._go(request, "message.sent")
            case "lower":
                self._store.raise_hand(learner, False)
                return self._go(request, "hands.lowered")
            case "lower-all":
                for member in self._store.members():
                    self._store.raise_hand(member.id, False)
                return self._go(request, "hands.lowered")
        return self._go(request, "error.no_such_button")

    def _learner(self, request: Request) -> Response:
        room = room_of(self._store)
        found = next((each for each in room.learners if each.member.id == request.path_params["id"]), None)
        if found is None:
            return HTMLResponse(self._text(request, "alone.html", sentence=words("error.no_such_page")), 404)
        return self._render(request, "learner.html", learner=found, now=room.now)

    def _remove(self, request: Request, form: Form) -> Response:
        self._store.remove(request.path_params["id"])
        return self._go(request, "removed")

    # the predictions

    def _questions(self, request: Request) -> Response:
        room = room_of(self._store)
        questions = {
            key: (count, predictions.question_of(key).text) for key, count in predictions_of(room.learners).items()
        }
        return self._render(request, "predictions.html", questions=questions)

    def _prediction(self, request: Request) -> Response:
        room, key = room_of(self._store), request.path_params["key"]
        keys = list(predictions_of(room.learners))
        if key not in keys:
            return HTMLResponse(self._text(request, "alone.html", sentence=words("error.no_such_page")), 404)
        # hidden at first: who is quick would give it away on the projector before the others have guessed
        at, is_hidden = keys.index(key), request.query_params.get("measured") != "shown"
        return self._render(
            request,
            "prediction.html",
            shown=predictions.of(key, room.learners, is_hidden),
            is_hidden=is_hidden,
            before=keys[at - 1] if at else "",
            next=keys[at + 1] if at + 1 < len(keys) else "",
        )

    # the end

    def _ending(self, request: Request) -> Response:
        return self._render(request, "end.html", file="")

    def _end(self, request: Request, form: Form) -> Response:
        return self._render(request, "end.html", file=str(end(self._store)))

    # every page

    def _render(self, request: Request, template: str, **context: Any) -> Response:
        said = request.query_params.get("said", "")
        notice = words(said) if said in SAID else ""
        return HTMLResponse(self._text(request, template, notice=notice, is_open=self._store.is_open, **context))

    def _text(self, request: Request, template: str, **context: Any) -> str:
        page = {"root": root_of(request), "path": request.url.path, "proof": self._access.proof()}
        return templates.get_template(template).render(**page, **context)

    def _go(self, request: Request, said: str) -> Response:
        return RedirectResponse(f"{root_of(request)}?said={said}", 303)

    async def _alone(
        self, id: str, request: Request, error: Exception | None = None, status: int | None = None
    ) -> Response:
        """A page that says one sentence."""
        code = status or (404 if id == "error.no_such_page" else 500)
        return HTMLResponse(self._text(request, "alone.html", sentence=words(id)), code)


SAID = ("message.empty", "message.sent", "hands.lowered", "removed", "error.no_such_button")


def end(store: ClassStore) -> Path:
    """Write the class into one CSV, and delete all else of it. Returns the file; it is written before anything goes."""
    room = room_of(store)
    file = _free(store.file.parent, datetime.now(UTC).astimezone().strftime("%Y-%m-%d"))
    write_private(file, "\ufeff" + csv_of(room))  # by the mark a spreadsheet knows that it is UTF-8
    store.end()
    return file


def _free(folder: Path, day: str) -> Path:
    """A name that no file has: class-2026-11-30.csv, class-2026-11-30-2.csv, …"""
    names = (f"class-{day}.csv" if number == 1 else f"class-{day}-{number}.csv" for number in range(1, 1000))
    return next(folder / name for name in names if not (folder / name).exists())
