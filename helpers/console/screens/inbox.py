"""The inbox: the messages that functions have posted to it, as in Slack's channel."""

from starlette.responses import Response

from ..actions import inbox
from ..page import Page, Screen


def show(page: Page) -> Response:
    messages = page.perform(inbox.read_inbox)
    return page.render("inbox.html", messages=messages[::-1])


SCREEN = Screen("/inbox", show)
