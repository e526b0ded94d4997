"""The files of the picture's page: plain ES modules and styles, which a browser takes as they are."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("static")
MODULES = {"environments": "environments.js", "system": "system.js", "dagre": "vendor/dagre.esm.js"}
STYLES = ("watch.css", "system.css")


@cache
def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def modules() -> dict[str, str]:
    """The source of each module that the root loads."""
    return {name: read(file) for name, file in MODULES.items()}


def style() -> str:
    return "\n".join(map(read, STYLES))
