"""What a link or a picture of a notebook, or of another text of the workshop, leads to in the site.

A notebook becomes its page. Another file is shown by GitHub, where the repository is known, and otherwise by a page of
its own; what is on a learner's machine alone has no link. So no link of the site is dead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .. import settings
from ..lessons import lessons
from ..repository import address

FILES, PICTURES = "files", "pictures"  # folders of the site
FRONT = "index"
HERE = {"127.0.0.1", "localhost", "[::1]"}  # the learner's own machine
MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Place:
    """Where a text stands: the folder that its own links begin in, and its page in the site, "04-cold-start.ipynb"."""

    folder: Path
    page: str

    def lead(self, to: str) -> str:
        """The link from here to another place in the site; to the page of what is a notebook as long as we make it."""
        return "../" * self.page.count("/") + quote(re.sub(r"\.ipynb$", ".html", to))


@dataclass
class Links:
    """The links of one site, and what they need: each by its path in the site, pages of `files`, and copies."""

    repository: str | None
    files: dict[str, Path] = field(default_factory=dict)
    pictures: dict[str, Path] = field(default_factory=dict)
    downloads: dict[str, Path] = field(default_factory=dict)

    def follow(self, href: str, place: Place) -> str | None:
        """The address that a link leads to; None for nowhere."""
        parts = urlsplit(href)
        if parts.scheme or parts.netloc:
            return None if parts.hostname in HERE or parts.scheme == "file" else href
        heading = f"#{slug(unquote(parts.fragment))}" if parts.fragment else ""
        if not parts.path:
            return heading or None
        target = (place.folder / unquote(parts.path)).resolve()
        return self._page(target, heading, place) or self._file(_solved(target), parts.fragment, heading, place)

    def picture(self, source: str, place: Place) -> str | None:
        """Where the file of a picture is in the site, or None."""
        parts = urlsplit(source)
        target = (place.folder / unquote(parts.path)).resolve()
        if parts.scheme or parts.netloc or not _is_ours(target) or not target.is_file():
            return None
        self.pictures[f"{PICTURES}/{_path(target)}"] = target
        return place.lead(f"{PICTURES}/{_path(target)}")

    def download(self, file: Path, place: Place) -> str:
        """Where a file itself is in the site."""
        self.downloads[f"{FILES}/{_path(file)}"] = file
        return place.lead(f"{FILES}/{_path(file)}")

    def in_markdown(self, text: str, place: Place) -> str:
        """A text in Markdown, with its links and pictures as the site has them."""
        for token in _leading(MARKDOWN.parse(text)):
            is_picture = token.type == "image"
            was = str(token.attrGet("src" if is_picture else "href"))
            to = self.picture(was, place) if is_picture else self.follow(was, place)
            text = _with_link(text, was, to)
        return text

    def _page(self, target: Path, heading: str, place: Place) -> str | None:
        if target in (settings.NOTEBOOKS, settings.NOTEBOOKS / "solutions"):
            return place.lead(f"{FRONT}.ipynb")
        for lesson in lessons():
            if target in (lesson.starter_path, lesson.solution_path):
                return place.lead(f"{lesson.stem}.ipynb") + heading
        return None

    def _file(self, target: Path, fragment: str, heading: str, place: Place) -> str | None:
        if not _is_ours(target) or not target.exists():
            return None
        path = _path(target)
        if self.repository:
            return address(self.repository, path, target.is_dir()) + (f"#{fragment}" if fragment else "")
        if target.is_dir():
            return None
        self.files[f"{FILES}/{path}.ipynb"] = target
        return place.lead(f"{FILES}/{path}.ipynb") + (heading if target.suffix == ".md" else "")


def slug(heading: str) -> str:
    """The id of a heading, by its text or by JupyterLab's link to it: "04.2 Reuse" is "042-reuse"."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _leading(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in ("link_open", "image"):
            yield token
        yield from _leading(token.children or [])


def _with_link(text: str, was: str, to: str | None) -> str:
    """The text with the links to `was` changed; without an address of their own, their words alone."""
    written = "|".join(re.escape(each) for each in {was, unquote(was)})
    place = re.compile(rf"(?<=\]\()\s*<?(?:{written})>?(?=[\s)])|(?<=\]: )<?(?:{written})>?(?=\s|$)")
    if to is not None:
        return place.sub(lambda _: to, text)
    return re.sub(rf"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\(\s*<?(?:{written})>?(?:\s[^)]*)?\)", r"\1", text)


def _solved(target: Path) -> Path:
    """What stands for a learner's file of a lab, work/labs/09/python/app.py: the solution of it."""
    labs = settings.ROOT / "work" / "labs"
    if target.is_relative_to(labs) and len(parts := PurePosixPath(target.relative_to(labs)).parts) > 1:
        for lesson in lessons():
            if lesson.number == parts[0] and lesson.lab:
                return lesson.lab.joinpath(*parts[1:])
    return target


def _is_ours(target: Path) -> bool:
    """Whether it is a file or folder of the repository, as far as can be told without git."""
    if not target.is_relative_to(settings.ROOT) or target.is_relative_to(settings.home()):
        return False
    first = PurePosixPath(target.relative_to(settings.ROOT)).parts[:1]
    return not first or (first[0] != "work" and not first[0].startswith(".venv"))


def _path(target: Path) -> str:
    return target.relative_to(settings.ROOT).as_posix()
