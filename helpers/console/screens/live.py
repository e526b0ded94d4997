"""The page Live: the execution environments of my functions, and the system around them, as they live."""

from starlette.responses import Response

from ...watch import static_files, strings
from ..actions import functions, live
from ..cells import cell_of
from ..page import Page, Screen

PARTS = ("environments", "system")


def show(page: Page) -> Response:
    found = page.perform(functions.list_functions, prefix=page.prefix)
    names = [each["FunctionName"] for each in found]
    chosen = page.asked("function")
    shown = [chosen] if chosen in names else []
    page.perform.cells.append(cell_of(live.watch_functions, functions=shown))  # a notebook shows the same picture
    return page.render(
        "live.html",
        names=names,
        chosen="".join(shown),
        part=page.asked("part") if page.asked("part") in PARTS else PARTS[0],
        modules={name: f"{page.root}watch/{file}" for name, file in static_files.MODULES.items()},
        catalogue=strings.catalogue(),
        styles=static_files.STYLES,
    )


SCREEN = Screen("/live", show)
