"""write() makes the site: Sphinx builds it in a folder of its own, which then takes the place of the old one."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .. import settings
from ..errors import WorkshopError
from ..files.whole_folder import whole_folder
from ..installing import environment
from .source import AS_THEY_ARE, gather

MARK = ".lambda-workshop-site"  # in a folder that we may replace
SPHINX = Path(__file__).parent / "sphinx"
SIZES = "some 44 MB to download, 175 MB on disk"  # its wheels for Linux
FAILED = "The site could not be made"
DAY = "1767225600"  # 2026-01-01, when every notebook says that it was executed: the same site has the same bytes


class SiteError(WorkshopError):
    """The site cannot be made; the message is one sentence for the reader."""


def write(out: Path, repository: str | None) -> None:
    """Write the site into a folder: a new one, an empty one, or one that this made before. Nothing is ever half there.

    Raises SiteError, EnvironmentProblem, NoSolution or OSError.
    """
    out = out.resolve()
    _refuse(out)
    adding = f"Adding Sphinx in {settings.SITE_VENV.name}, once: {SIZES}."
    python = environment.make_apart(settings.SITE_VENV, settings.SITE_LOCK, adding, FAILED)
    with whole_folder(out) as pages, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        source = Path(scratch) / "source"
        source.mkdir()
        gather(source, repository)
        build(python, source, pages, repository)
        (pages / MARK).write_text("python3 -m helpers site wrote this folder, and replaces it.\n")


def build(python: Path, source: Path, pages: Path, repository: str | None) -> None:
    """Have Sphinx make pages of what was gathered; it executes none. Raises SiteError, also where it only warns."""
    given = [f"-Dhtml_theme_options.github_url=https://github.com/{repository}"] if repository else []
    command = [str(python), "-I", "-m", "sphinx", "-b", "html", "-c", str(SPHINX), "-d", str(source.parent / "read")]
    done = subprocess.run(
        [*command, "--quiet", "--fail-on-warning", "--keep-going", "--jobs=auto", *given, str(source), str(pages)],
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": DAY, "NO_COLOR": "1"},
    )
    if done.returncode:
        said = done.stderr + done.stdout
        raise SiteError(f"{FAILED}: {environment.cause(said) or _first(said, source)}.")
    (pages / "_static" / "webpack-macros.html").unlink(missing_ok=True)  # a template of the theme, and no page
    if (source / AS_THEY_ARE).exists():
        shutil.copytree(source / AS_THEY_ARE, pages, dirs_exist_ok=True)


def _first(said: str, source: Path) -> str:
    """The first of Sphinx's warnings, or its last line, without the folder that is gone by now."""
    lines = [line.strip() for line in said.replace(f"{source}/", "").splitlines() if line.strip()]
    found = next((line for line in lines if re.search(r"WARNING|ERROR", line)), lines[-1] if lines else "Sphinx failed")
    return found.rstrip(".")


def _refuse(out: Path) -> None:
    """Refuse what holds something else."""
    if out.is_dir() and not (out / MARK).is_file() and any(out.iterdir()):
        raise SiteError(f"{out} holds other files, so nothing was written; give a folder that is new or empty.")
    if out.exists() and not out.is_dir():
        raise SiteError(f"{out} is a file; give a folder for the site.")
