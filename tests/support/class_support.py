"""A class for tests: learners as their notebooks speak, and the page as a browser without scripts uses it."""

import time
from typing import Any

import requests
from console_browser import Shown

from helpers.classroom.instructor.server import Served

KEY = "k" * 32


class Asker:
    """Asks the API of a class, as somebody on the network may."""

    def __init__(self, base: str, word: str) -> None:
        self.base, self.word = base, word
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, method: str, path: str, json: Any = None, key: str = "", **options: Any) -> requests.Response:
        headers = ({"Authorization": f"Bearer {key}"} if key else {}) | options.pop("headers", {})
        return self.session.request(method, self.base + path, json=json, headers=headers, timeout=30, **options)

    def join(self, name: str = "Ada", key: str = KEY, word: str | None = None) -> requests.Response:
        asked = {"word": self.word if word is None else word, "name": name, "key": key}
        return self.ask("POST", "/learners", asked)

    def sync(self, id: str, entries: list[Any] = (), key: str = KEY, **members: Any) -> requests.Response:
        body = {"now": time.time(), "entries": list(entries), "heard": 0, **members}
        return self.ask("POST", f"/learners/{id}/sync", body, key)


class Page:
    """The instructor's page in a browser without scripts."""

    def __init__(self, served: Served) -> None:
        self.base = served.page.partition("/enter")[0]
        self.session = requests.Session()
        self.session.trust_env = False
        assert self.session.get(served.page, timeout=30).status_code == 200

    def html(self, path: str = "/", status: int = 200) -> str:
        answer = self.session.get(self.base + path, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.text

    def text(self, path: str = "/") -> str:
        return Shown(self.html(path)).text

    def press(self, do: str, path: str = "/", **fields: str) -> str:
        proof = Shown(self.html("/end")).values["proof"]
        data = {"proof": proof, "do": do, **fields}
        answer = self.session.post(self.base + path, data=data, timeout=30)
        assert answer.status_code == 200, answer.text
        return Shown(answer.text).text


def attempt(exercise: str = "04.2", solved: bool = False, at: float | None = None, **members: Any) -> dict[str, Any]:
    """An entry of a record, as check() makes it."""
    told = {"kind": "attempt", "at": time.time() if at is None else at, "notebook": exercise[:2]}
    return told | {"exercise": exercise, "solved": solved, "sentence": "Not yet.", "answer": "def f(): ..."} | members


def prediction(key: str, text: str, kind: str = "prediction") -> dict[str, Any]:
    return {"kind": kind, "at": time.time(), "notebook": key[:2], "key": key, "text": text}
