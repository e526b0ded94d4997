"""Inside JupyterLab's server: hands on what the projector and the presenter page say to each other.

JupyterLab lets in who has its token; the presenter page's cookie never comes into a browser that has not opened it.
"""

import json
import os
from typing import Any

import tornado.web
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest

VARIABLE = "PRESENTER_PAGE"  # no setting of the reader's
LIMIT_S = 60.0
GONE = "The presenter page does not answer."


def variable(port: int, cookie_name: str, cookie: str) -> dict[str, str]:
    """What tells JupyterLab's server where the presenter page is."""
    return {
        VARIABLE: json.dumps({"address": f"http://127.0.0.1:{port}/projector/", "cookie": f"{cookie_name}={cookie}"})
    }


def _load_jupyter_server_extension(server: Any) -> None:
    """Jupyter's server calls it by this name."""
    told = json.loads(os.environ.pop(VARIABLE))  # the kernels do not get it
    path = url_path_join(server.web_app.settings["base_url"], "presenting", "(plan|asked|shown)")
    server.web_app.add_handlers(".*$", [(path, _Handler, {"told": told})])


class _Handler(APIHandler):
    def initialize(self, told: dict[str, str]) -> None:
        self.told = told

    @tornado.web.authenticated
    async def get(self, what: str) -> None:
        await self._hand_on(what, None)

    @tornado.web.authenticated
    async def post(self, what: str) -> None:
        await self._hand_on(what, self.request.body)

    async def _hand_on(self, what: str, body: bytes | None) -> None:
        request = HTTPRequest(
            f"{self.told['address']}{what}?{self.request.query}",
            method="GET" if body is None else "POST",
            body=body,
            headers={"Cookie": self.told["cookie"]},
            request_timeout=LIMIT_S,
        )
        try:
            answer = await AsyncHTTPClient().fetch(request)
        except (HTTPError, OSError) as error:
            raise tornado.web.HTTPError(502, GONE) from error
        self.set_header("Content-Type", "application/json")
        self.finish(answer.body)
