"""Answers as AWS would send them, for clients whose requests go nowhere."""

from botocore.awsrequest import AWSResponse


class Body:
    """What botocore reads an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_):
        yield self._content


def answer(url: str, status: int = 200, content: bytes = b"{}", **headers: str) -> AWSResponse:
    """An answer to a request for `url`; a header's name has "_" for "-"."""
    return AWSResponse(url, status, {name.replace("_", "-"): value for name, value in headers.items()}, Body(content))
