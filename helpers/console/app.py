"""The application: the screens at their paths, and what they need besides."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ..local_page import forms, style
from ..local_page.access import Access, guarded
from ..local_page.requests import body_of, root_of
from ..pages import highlight
from ..watch import static_files
from .live_socket import LiveSockets
from .page import EXPECTED, Connection, Notices, Page, Screen, answer, notice_of, templates
from .screens import SCREENS
from .strings import words

STATIC = Path(__file__).with_name("static")
LARGEST = 70 * 2**20  # bytes of a request: the largest zip that Lambda takes directly, and the form around it


def application(access: Access, connection: Connection, live: LiveSockets) -> ASGIApp:
    """The console as an ASGI application, for whoever `access` lets in."""
    notices = Notices()

    def endpoint(screen: Screen) -> Route:
        async def respond(request: Request) -> Response:
            form = forms.Form()
            if request.method == "POST":
                body = await body_of(request, LARGEST)
                if body is None:
                    return _alone(request, words("error.too_large"), 413)
                form = forms.read(request.headers.get("content-type", ""), body)
                if not access.proves(form.text("proof")):
                    return _alone(request, words("error.no_proof"), 403)
            return await run_in_threadpool(_answer, screen, request, form)

        return Route(screen.path, respond, methods=["GET", "POST"] if screen.do else ["GET"])

    def _answer(screen: Screen, request: Request, form: forms.Form) -> Response:
        try:
            workshop = connection.workshop()
        except EXPECTED as error:
            return _alone(request, notice_of(error, []).sentence, 503)
        return answer(screen, Page(request, form, access, notices, workshop))

    async def alive(request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def colours(request: Request) -> Response:
        return Response(highlight.style_sheet(), media_type="text/css")

    async def missing(request: Request, error: Exception) -> Response:
        return _alone(request, words("error.no_such_page"), 404)

    async def broken(request: Request, error: Exception) -> Response:
        return _alone(request, words("error.ours"), 500)  # the terminal has its traceback

    routes = [
        *(endpoint(screen) for screen in SCREENS),
        Route("/alive", alive),
        Route("/code.css", colours),
        style.ROUTE,
        Mount("/static", StaticFiles(directory=STATIC)),
        Mount("/watch", StaticFiles(directory=static_files.FOLDER)),
        WebSocketRoute("/live-socket", live.serve),
    ]
    return guarded(Starlette(routes=routes, exception_handlers={404: missing, 500: broken}), access)


def _alone(request: Request, sentence: str, status: int) -> Response:
    """A page that says one sentence, where no Workshop is at hand; a 503 asks again by itself."""
    page = templates.get_template("alone.html")
    return HTMLResponse(page.render(root=root_of(request), sentence=sentence, waits=status == 503), status)
