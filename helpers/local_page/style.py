"""The stylesheet that our pages share, page.css beside this file, and its address in each of them."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FILE = Path(__file__).with_name("page.css")


async def _sheet(request: Request) -> Response:
    return FileResponse(FILE, media_type="text/css")


ROUTE = Route("/page.css", _sheet)
