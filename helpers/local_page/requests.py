"""What every page asks of a request: the way to its first page, and its body, up to a size."""

from starlette.requests import Request


def root_of(request: Request) -> str:
    """The way from a page to the first one: addresses are relative, as a proxy may put a prefix before them."""
    return "../" * (request.url.path.count("/") - 1) or "./"


async def body_of(request: Request, most: int) -> bytes | None:
    """The body of a request; None where it has more than `most` bytes, and is not read to its end then."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)
