"""Lets in the reader alone: a one-time token becomes a cookie, and what changes anything needs a proof of its page.

No page of another site gets in: its name has to be this machine's, or one that `--allow-host` names (a JupyterHub),
what a browser sends has to come from here, and the cookie goes along with requests of these pages alone.
"""

import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HERE = re.compile(r"(?:(?:[\w-]+\.)*localhost|127\.0\.0\.1|\[::1\])(?::\d+)?")  # any port: it may be a proxy's
ENTER = "/enter"
ANOTHER = "/enter/another"  # gives who has the cookie a token for another browser
TOKEN_S = 600  # how long the address that was printed opens the page
LOOKS = ("GET", "HEAD")
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The cookie is Strict: it would not come along on a redirect from a link of another page, so the page goes on itself.
ENTERED = '<!doctype html><meta http-equiv="refresh" content="0; url=./"><title>{name}</title><a href="./">{name}</a>'
NO_ENTRY = (
    "This address opens the {name} no more: an address is good for one time and for ten minutes. "
    "Run python3 -m helpers {command} again, with --no-browser, and open the address that it prints."
)


@dataclass
class Access:
    """Who may use a page: whoever has its cookie. `name` is the page's, such as "console", and `command` serves it."""

    name: str
    command: str
    port: int
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    hosts: tuple[str, ...] = ()
    _tokens: dict[str, float] = field(default_factory=dict)

    def new_token(self) -> str:
        """A token that opens the page once."""
        token = secrets.token_urlsafe(32)
        self._tokens[token] = time.monotonic() + TOKEN_S
        return token

    def proof(self) -> str:
        """What a form of these pages sends along, and a page of another site cannot know."""
        return hmac.digest(self.cookie.encode(), f"a form of the {self.name}".encode(), "sha256").hex()

    def proves(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.proof().encode())

    @property
    def cookie_name(self) -> str:
        return f"{self.name.replace(' ', '-')}-{self.port}"  # browsers give a cookie to all ports of a machine

    @property
    def no_entry(self) -> str:
        return NO_ENTRY.format(name=self.name, command=self.command)

    def enter(self, token: str) -> Response:
        """The page that sets the cookie, where a token is good; it is no more afterwards."""
        if self._tokens.pop(token, 0) < time.monotonic():
            return PlainTextResponse(self.no_entry, 403)
        response = HTMLResponse(ENTERED.format(name=self.name.capitalize()))
        # without a path it holds for the folder of this page: behind a proxy, for its prefix alone
        response.set_cookie(self.cookie_name, self.cookie, path=None, httponly=True, samesite="strict")
        return response

    def refusal(self, connection: HTTPConnection) -> str | None:
        """Why a request is not answered, in one sentence."""
        host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
        if not HERE.fullmatch(host) and host not in self.hosts:
            return f"The {self.name} is at 127.0.0.1 alone, and not at {host}; --allow-host names another."
        if origin is not None and not self._is_own(origin, host):
            return f"The {self.name} answers its own pages, and not the page at {origin}."
        is_look = connection.scope.get("method") in LOOKS
        if connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not is_look:
            return f"The {self.name} answers its own pages alone."
        return None

    def knows(self, connection: HTTPConnection) -> bool:
        return hmac.compare_digest(connection.cookies.get(self.cookie_name, "").encode(), self.cookie.encode())

    def _is_own(self, origin: str, host: str) -> bool:
        return urlsplit(origin).netloc == host


def guarded(app: ASGIApp, access: Access) -> ASGIApp:
    """`app`, for the reader alone; every answer with the headers that a browser needs."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await app(scope, receive, send)
        connection = HTTPConnection(scope)
        why = access.refusal(connection)
        if why is None and scope["type"] == "http" and scope["path"] == ENTER:
            [token] = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[:1]
            answer = access.enter(token)
            if answer.status_code == 403 and access.knows(connection):  # the browser that it has let in already
                answer = HTMLResponse(ENTERED.format(name=access.name.capitalize()))
            return await answer(scope, receive, _with_headers(send))
        if why is None and not access.knows(connection):
            why = access.no_entry
        if why is None and (scope["path"], scope.get("method")) == (ANOTHER, "POST"):
            return await PlainTextResponse(access.new_token())(scope, receive, _with_headers(send))
        if why is None:
            return await app(scope, receive, _with_headers(send))
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})  # policy violation, RFC 6455
        await PlainTextResponse(why, 403)(scope, receive, _with_headers(send))

    return guard


def _with_headers(send: Send) -> Send:
    ours = {name.lower().encode(): value.encode() for name, value in HEADERS.items()}

    async def send_with(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [each for each in message["headers"] if each[0] not in ours]
            message = {**message, "headers": [*kept, *ours.items()]}
        await send(message)

    return send_with
