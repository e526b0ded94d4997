"""The functions of this learner, those with a word in their names, or all."""

from starlette.responses import Response

from ..actions import functions
from ..page import Page, Screen


def show(page: Page) -> Response:
    found = page.perform(functions.list_functions, prefix=page.prefix)
    search = page.asked("search").strip()
    listed = [each for each in found if search.lower() in each["FunctionName"].lower()]
    return page.render("function_list.html", functions=listed, search=search, count=len(found))


SCREEN = Screen("/", show)
