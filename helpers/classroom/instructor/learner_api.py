"""What learners' notebooks ask of the class, as JSON over HTTP: join by the word, then send and hear, and leave.

    POST /learners                  201
        {"word": …, "name": …, "key": …}
        {"learner": its id, "name": as it is shown}
    POST /learners/{id}/sync        200
        {"now": the learner's clock, "entries": [[offset, entry], …], "heard": a message, "hand": …, "name": …}
        {"name": …, "hand": …, "messages": those after the one that was heard}
    DELETE /learners/{id}           204

The key is the learner's choice. The last two need it: `Authorization: Bearer …`. An error is a "message".
No page of a browser is answered: whatever sends an Origin is refused.
"""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ..entries import BATCH, is_time
from ..place import ClassError
from .limits import Limit, Rates
from .store import ClassStore, Full

LARGEST = 64 * 2**10  # bytes of a request
SHORTEST_KEY = 32  # letters, as secrets.token_urlsafe(24) has
BODY_S = 10  # for a request to arrive
CLOCKS_S = 2  # by which two clocks may differ unnoticed; the way of a request lies within
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

# A class behind one address, such as that of a JupyterHub, is one address here. 60 notebooks that ask every five
# seconds are 12 requests a second.
REQUESTS = Rates(rate=60, burst=300, all_rate=120, all_burst=600)
# Wrong words alone count. There are some 26,000 words: with one guess in ten seconds half of them take 36 hours.
GUESSES = Rates(rate=0.05, burst=20, all_rate=0.1, all_burst=60)

Body = dict[str, Any]
Respond = Callable[[Request, Body], Response]


class Refusal(Exception):
    """A request that is not served; its sentence is for the learner."""

    def __init__(self, status: int, sentence: str, wait_s: float = 0) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.wait_s = status, sentence, wait_s


class LearnerApi:
    """The API of one class."""

    def __init__(self, store: ClassStore, requests: Limit | None = None, guesses: Limit | None = None) -> None:
        self._store = store
        self._requests = requests or Limit(REQUESTS)
        self._guesses = guesses or Limit(GUESSES)

    def application(self) -> Starlette:
        """The API as an ASGI application."""
        return Starlette(
            routes=[
                Route("/", self._hello),
                Route("/learners", self._endpoint(self._join), methods=["POST"]),
                Route("/learners/{id}", self._endpoint(self._leave), methods=["DELETE"]),
                Route("/learners/{id}/sync", self._endpoint(self._sync), methods=["POST"]),
            ],
            exception_handlers={HTTPException: _other, Exception: _broken},
        )

    async def _hello(self, request: Request) -> Response:
        """For who opens the address in a browser."""
        return PlainTextResponse('A class is here. To join it, run join("word") in notebook 00.\n', headers=HEADERS)

    def _endpoint(self, respond: Respond) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                self._admit(request)
                body = await _body(request)
                return await run_in_threadpool(self._answer, respond, request, body)
            except Refusal as refusal:
                wait = {"Retry-After": str(math.ceil(refusal.wait_s))} if refusal.wait_s else {}
                return JSONResponse({"message": refusal.sentence}, refusal.status, {**HEADERS, **wait})

        return answer

    def _answer(self, respond: Respond, request: Request, body: Body) -> Response:
        try:
            if not self._store.is_open:
                raise Refusal(410, "The class has ended.")
            return respond(request, body)
        except Full as error:
            raise Refusal(503, str(error), 60) from None
        except ClassError:
            raise Refusal(503, "The class cannot keep anything at the moment.", 30) from None

    def _admit(self, request: Request) -> None:
        """Raises Refusal for what a browser sends, and where too much is asked."""
        if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
            raise Refusal(403, "The class answers notebooks, and no pages.")
        if wait_s := self._requests.wait_s(_address(request)):
            raise Refusal(429, "The class is asked too often; try again in a moment.", wait_s)
        self._requests.count(_address(request))

    # what is asked

    def _join(self, request: Request, body: Body) -> Response:
        word, name, address = _text(body, "word"), _text(body, "name"), _address(request)
        if wait_s := self._guesses.wait_s(address):
            raise Refusal(429, "There were too many wrong words; try again in some minutes.", wait_s)
        if not self._store.is_word(word):
            self._guesses.count(address)
            raise Refusal(403, "This is not the word of the class; ask for it again.")
        if len(key := _text(body, "key")) < SHORTEST_KEY:
            raise Refusal(400, f"The key of a learner has {SHORTEST_KEY} letters or more.")
        member = self._store.add(name, key)
        return _json({"learner": member.id, "name": member.name}, 201)

    def _sync(self, request: Request, body: Body) -> Response:
        id = self._known(request)
        sent, now = _sent(body), body.get("now")
        behind = self._store.now() - float(now) if is_time(now) else 0
        self._store.take(id, sent, behind if abs(behind) > CLOCKS_S else 0)
        if isinstance(body.get("hand"), bool):
            self._store.raise_hand(id, body["hand"])
        if isinstance(body.get("name"), str):
            self._store.rename(id, body["name"])
        self._store.seen(id)
        member = self._store.member(id)
        if member is None:
            raise Refusal(401, UNKNOWN)
        heard = body.get("heard")
        after = heard if type(heard) is int and 0 <= heard < 2**53 else 0
        messages = self._store.messages(after, since=member.joined)  # what was said before was for others
        told = [{"id": each.id, "at": each.at, "text": each.text} for each in messages]
        return _json({"name": member.name, "hand": member.hand is not None, "messages": told})

    def _leave(self, request: Request, body: Body) -> Response:
        self._store.remove(self._known(request))
        return Response(status_code=204, headers=HEADERS)

    def _known(self, request: Request) -> str:
        """The learner who asks. Raises Refusal for anybody else."""
        id, (scheme, _, key) = request.path_params["id"], request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not self._store.knows(id, key):
            raise Refusal(401, UNKNOWN)
        return str(id)


UNKNOWN = "The class does not know you any more; join it again."


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _json(answer: Body, status: int = 200) -> Response:
    return JSONResponse(answer, status, HEADERS)


async def _body(request: Request) -> Body:
    """The JSON object of a request; an empty one of a request without a body. Raises Refusal."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST:
                    raise Refusal(413, f"A request has {LARGEST} bytes at most.")
    except TimeoutError:
        raise Refusal(408, "The request did not arrive in time.") from None
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refusal(400, "A request is an object of JSON.")
    return found


def _text(body: Body, name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str) or len(text) > 200:
        raise Refusal(400, f"A request to join has a {name}, which is a text.")
    return text


def _sent(body: Body) -> list[tuple[int, Any]]:
    """The entries of a request, each with its offset. Raises Refusal where they are no list, or too many."""
    sent = body.get("entries", [])
    if not isinstance(sent, list) or len(sent) > BATCH:
        raise Refusal(400, f"The entries of a request are a list of {BATCH} at most.")
    pairs = [each for each in sent if isinstance(each, list) and len(each) == 2]
    return [(offset, entry) for offset, entry in pairs if type(offset) is int and 0 <= offset < 2**53]


async def _other(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": "There is nothing here."}, error.status_code, HEADERS)


async def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"message": "The class has a fault of its own."}, 500, HEADERS)
