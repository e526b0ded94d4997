"""Asks the class one thing over HTTP, within seconds. No proxy is used: a class is near."""

import http.client
import json
from typing import Any

from ..entries import one_line
from ..place import Place

LIMIT_S = 3.0  # for each step of a request
LARGEST = 256 * 2**10  # bytes of an answer that are read


class Unreachable(Exception):
    """Nobody answers there, or nobody who is a class."""


class Refused(Exception):
    """The class does not do it; its text is the sentence that it gave."""

    def __init__(self, status: int, sentence: str, wait_s: float) -> None:
        super().__init__(sentence)
        self.status, self.wait_s = status, wait_s


def ask(place: Place, method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> dict[str, Any]:
    """The answer of the class. Raises Unreachable or Refused."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    connection = http.client.HTTPConnection(place.host, place.port, timeout=LIMIT_S)
    try:
        connection.request(method, path, json.dumps(body or {}), headers)
        response = connection.getresponse()
        status, wait, text = response.status, response.getheader("Retry-After", ""), response.read(LARGEST)
    except (OSError, http.client.HTTPException, ValueError) as error:  # a host that is none is a ValueError
        raise Unreachable(str(error)) from None
    finally:
        connection.close()
    answer = _parsed(text) if status != 204 else {}
    if answer is None or status >= 500 and "message" not in answer:
        raise Unreachable("no class answers there")
    if status >= 400:
        raise Refused(status, one_line(str(answer.get("message", ""))), float(wait) if wait.isdecimal() else 0)
    return answer


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
