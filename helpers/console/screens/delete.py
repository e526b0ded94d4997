"""Delete function: asks first, and takes its log along where the reader wants that."""

from starlette.responses import Response

from ..actions import functions
from ..page import Done, Page, Screen
from ..strings import words


def show(page: Page) -> Response:
    configuration = page.perform(functions.get_configuration, function_name=page.function_name)
    return page.render("delete.html", tab="", configuration=configuration)


def delete(page: Page) -> Done:
    name = page.function_name
    configuration = page.perform(functions.get_configuration, function_name=name)
    page.perform(functions.delete_function, function_name=name)
    if page.asked("log"):
        group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
        page.perform(functions.delete_log_group, log_group=group)
    return Done(words("delete.done", name=name), "")


SCREEN = Screen("/functions/{name}/delete", show, {"delete": delete})
