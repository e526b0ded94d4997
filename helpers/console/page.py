"""One request of the console: what it asks, the Workshop that it uses, and the page that answers it."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError, WaiterError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from .. import aws_choice, localaws, settings
from ..connect import Workshop, connect
from ..errors import WorkshopError
from ..local_page.access import Access
from ..local_page.forms import Form
from ..local_page.requests import root_of
from ..pages.highlight import python_cell
from ..pages.templates import page_templates
from ..webhook import without_secret
from .cells import Action, Performer
from .strings import words

KEPT = 50  # results that a page can still show
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")

templates = page_templates(Path(__file__).parent, words)
templates.filters["cell"] = python_cell
templates.filters["path"] = lambda text: quote(str(text), safe="")


class ConsoleError(WorkshopError):
    """The console cannot do what it was asked; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Notice:
    """What came of a click: a sentence, the cells that do the same, and what a screen shows of it."""

    sentence: str
    code: str = ""  # AWS's, of an error
    is_error: bool = False
    cells: list[str] = field(default_factory=list)
    result: Any = None


@dataclass(frozen=True)
class Done:
    """What an action of a screen comes to: a sentence, where to go (a path of the console), and a result to show."""

    sentence: str
    go: str | None = None
    result: Any = None


class Notices:
    """The last notices, each under a key that stands in the address of the page that shows it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Notice] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, notice: Notice) -> str:
        key = secrets.token_urlsafe(8)
        with self._lock:
            self._kept[key] = notice
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return key

    def find(self, key: str | None) -> Notice | None:
        with self._lock:
            return self._kept.get(key or "")


class Connection:
    """The Workshop of the console; another one once the embedded AWS was started anew."""

    def __init__(self, first: Workshop) -> None:
        self._workshop, self._lock = first, threading.Lock()
        self._life = _life() if first.is_embedded else ""

    def workshop(self) -> Workshop:
        """Raises ConsoleError while no embedded AWS runs, where it is the one that was chosen."""
        with self._lock:
            if self._workshop.is_embedded and (life := _life()) != self._life:
                self._workshop, self._life = connect(ask=False), life
            return self._workshop


def _life() -> str:
    endpoint = localaws.running(settings.home())
    if endpoint is None:
        raise ConsoleError(words("error.no_embedded_aws"))
    return f"{endpoint.life} {endpoint.port}"


def connected() -> Connection:
    """The connection to the AWS that was chosen. Raises ConsoleError where it is the embedded one and does not run."""
    if aws_choice.chosen() == "embedded":
        _life()
    return Connection(connect())


@dataclass
class Page:
    """One request, and what is needed to answer it."""

    request: Request
    form: Form
    access: Access
    notices: Notices
    workshop: Workshop
    notice: Notice | None = None

    def __post_init__(self) -> None:
        self.perform = Performer(self.workshop)
        self.left_out: list[str] = []  # why a part of the page is missing, in AWS's words
        self.notice = self.notices.find(self.request.query_params.get("done"))

    def read(self, action: Action, otherwise: Any, **values: Any) -> Any:
        """What an action that only reads answers, or `otherwise` where AWS does not allow it: the rest is shown."""
        try:
            return self.perform(action, **values)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            self.left_out.append(error.response["Error"]["Message"])
            return otherwise

    @property
    def root(self) -> str:
        """The way from this page to the first one: addresses are relative, as a proxy may put a prefix before them."""
        return root_of(self.request)

    @property
    def prefix(self) -> str:
        return f"{self.workshop.tags['learner']}-"

    @property
    def function_name(self) -> str:
        """The function that the page is about. Raises ConsoleError for one that is not the learner's."""
        name: str = self.request.path_params["name"]
        if not name.startswith(self.prefix):
            raise ConsoleError(words("error.not_yours", name=name, prefix=self.prefix))
        return name

    def asked(self, name: str, default: str = "") -> str:
        """A field as it was sent, or as the query names it."""
        return self.form.text(name, self.request.query_params.get(name, default))

    def render(self, template: str, **context: Any) -> Response:
        status = 400 if self.notice and self.notice.is_error and self.request.method == "POST" else 200
        return HTMLResponse(
            templates.get_template(template).render(
                page=self,
                root=self.root,
                proof=self.access.proof(),
                notice=self.notice,
                read_cells=self.perform.cells,
                **context,
            ),
            status,
        )

    def go(self, path: str, notice: Notice) -> Response:
        return RedirectResponse(f"{self.root}{path}?done={self.notices.keep(notice)}", 303)


Show = Callable[[Page], Response]
Do = Callable[[Page], Done]


@dataclass(frozen=True)
class Screen:
    """One screen: its path, how it is shown, and what its buttons do, by their value of `do`."""

    path: str
    show: Show
    do: dict[str, Do] = field(default_factory=dict)


def answer(screen: Screen, page: Page) -> Response:
    """Show a screen, or do what one of its buttons does, and then show what came of it."""
    if page.request.method == "POST":
        return _done(screen, page)
    return _shown(screen, page)


def _done(screen: Screen, page: Page) -> Response:
    do = screen.do.get(page.form.text("do"))
    if do is None:
        return failed(page, Notice(words("error.no_such_button"), is_error=True))
    try:
        done = do(page)
    except EXPECTED as error:
        page.notice = notice_of(error, page.perform.cells)
        page.perform = Performer(page.workshop)
        return _shown(screen, page)  # with what was typed
    path = done.go if done.go is not None else page.request.url.path.lstrip("/")
    return page.go(path, Notice(done.sentence, cells=page.perform.cells, result=done.result))


def _shown(screen: Screen, page: Page) -> Response:
    try:
        return screen.show(page)
    except EXPECTED as error:
        return failed(page, notice_of(error, page.perform.cells))


def failed(page: Page, notice: Notice) -> Response:
    page.notice = page.notice if page.notice and page.notice.is_error else notice
    response = page.render("failed.html")
    response.status_code = 400
    return response


EXPECTED = (ClientError, BotoCoreError, WorkshopError, OSError)


def notice_of(error: Exception, cells: list[str]) -> Notice:
    """AWS's own words of an error, with its code."""
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        sentence, code = str(told.get("Message") or error), str(told.get("Code", ""))
    elif isinstance(error, ParamValidationError):
        sentence, code = str(error.kwargs["report"]), "ParamValidationError"
    elif isinstance(error, WaiterError):
        reason = error.last_response.get("LastUpdateStatusReason") or error.last_response.get("StateReason")
        sentence, code = str(reason or error), ""
    else:
        sentence, code = str(error), "" if isinstance(error, WorkshopError) else type(error).__name__
    return Notice(without_secret(sentence), code, True, list(cells))
