"""Writes the badges that open the workshop without installing it into README.md, between two marks.

They are links where pyproject.toml names the repository, and no links, with a sentence that says so, where it does not.
"""

import contextlib
from pathlib import Path

from .. import repository
from ..files.marks import between

BEGIN, END = "<!-- The badges: `python3 -m helpers build` writes them. -->", "<!-- The badges end. -->"
BADGES = between(BEGIN, END)
PICTURES = {"GitHub Codespaces": "deploy/badges/codespaces.svg", "Binder": "deploy/badges/binder.svg"}
UNPUBLISHED = (
    "This copy does not say where it is published, so the badges open nothing yet: name its address on GitHub as "
    "`Repository`\nunder `[project.urls]` in pyproject.toml, and run `python3 -m helpers build`."
)


def write(path: Path) -> None:
    """Write the badges between the marks of a README; one without them, or without what they need, stays as it is."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    with contextlib.suppress(repository.RepositoryError):  # problems() says it
        if (written := _with_badges(text)) != text:
            path.write_text(written, encoding="utf-8")


def problems(path: Path) -> list[str]:
    """What is wrong with the badges of a README: one sentence, or nothing."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    try:
        stale = _with_badges(text) != text
    except repository.RepositoryError as error:
        return [str(error)]
    return [f"The badges in {path.name} are not what pyproject.toml says; run `python3 -m helpers build`."] * stale


def _with_badges(text: str) -> str:
    name = repository.name()
    pictures = {service: f"![Open in {service}]({picture})" for service, picture in PICTURES.items()}
    if name:
        pictures = {service: f"[{pictures[service]}]({url})" for service, url in repository.live(name).items()}
    lines = ["", *pictures.values(), ""] if name else ["", *pictures.values(), "", UNPUBLISHED, ""]
    return BADGES.sub(lambda _: "\n".join([*lines, ""]), text, count=1)
