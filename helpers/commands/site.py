"""`python3 -m helpers site`: writes the solved workshop as a static site."""

import os
from pathlib import Path

from .. import settings, site
from ..repository import name, named
from . import say


def write(out: Path | None, repository: str | None) -> int:
    """Write it into `out`, or site/ of the work folder, and print where.

    Raises SiteError, RepositoryError, EnvironmentProblem, NoSolution or OSError.
    """
    if repository is None:
        repository = os.environ.get("GITHUB_REPOSITORY") or None  # which GitHub sets in its workflows
    on_github = name() if repository is None else named(repository)
    out = out or settings.home() / "site"
    say(f"Writing the site into {out}.")
    site.write(out, on_github)
    print(out / "index.html")
    return 0
