"""The tab Code: the files of a function, with their words marked, and an editor for a small package."""

from starlette.responses import Response

from ...pages import highlight
from .. import packages
from ..actions import functions
from ..page import Done, Page, Screen
from ..strings import words
from .create import archive_of


def show(page: Page) -> Response:
    configuration = page.perform(functions.get_configuration, function_name=page.function_name)
    package = packages.Package({}, [], "code.image")
    if configuration.get("PackageType") != "Image":
        archive = page.perform(functions.download_code, function_name=page.function_name)
        package = packages.opened(archive.getvalue())
    files = package.files
    if page.form.has("file"):  # what was typed, and was refused
        files = packages.files_of(page.form.texts("file"), page.form.texts("text"))
    marked = {name: highlight.file_text(name, text) for name, text in files.items()}
    return page.render(
        "code.html", tab="code", configuration=configuration, package=package, files=files, marked=marked
    )


def save(page: Page) -> Done:
    page.perform(functions.update_code, function_name=page.function_name, archive=archive_of(page))
    return Done(words("code.saved", name=page.function_name))


SCREEN = Screen("/functions/{name}/code", show, {"save": save})
