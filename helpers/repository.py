"""Where this workshop is published, as pyproject.toml says, and the addresses that open it there without installing it.

Whoever publishes a copy names its address, on GitHub, as `Repository` under [project.urls]; nothing else holds it.
"""

import re
import tomllib
from urllib.parse import quote, urlencode

from . import settings
from .errors import WorkshopError

NAME = r"[A-Za-z0-9][A-Za-z0-9-]*/[\w.-]+?"
ON_GITHUB = re.compile(rf"https://github\.com/({NAME})(?:\.git)?/?", re.ASCII)
FIRST_NOTEBOOK = "notebooks/00-start-here.ipynb"


class RepositoryError(WorkshopError):
    """What was named is no repository on GitHub; the message is one sentence for the reader."""


def name() -> str | None:
    """Its owner and name, such as "ada/lambda-workshop"; None while pyproject.toml names no address."""
    urls = tomllib.loads(settings.PYPROJECT.read_text(encoding="utf-8"))["project"].get("urls", {})
    if "Repository" not in urls:
        return None
    if not (found := ON_GITHUB.fullmatch(urls["Repository"])):
        raise RepositoryError(
            f"pyproject.toml has {urls['Repository']!r} as Repository; the links of Codespaces and Binder need an "
            "address on GitHub, such as https://github.com/ada/lambda-workshop."
        )
    return found[1]


def named(text: str) -> str:
    """An owner and name that somebody has given. Raises RepositoryError where GitHub has no such names."""
    if not re.fullmatch(NAME, text, re.ASCII):
        raise RepositoryError(
            f"{text!r} is no repository; name it as GitHub does, owner/name, such as ada/lambda-workshop."
        )
    return text


def address(repository: str, path: str, is_folder: bool = False) -> str:
    """Where GitHub shows a file or folder of the repository, as it is on the default branch."""
    return f"https://github.com/{repository}/{'tree' if is_folder else 'blob'}/HEAD/{quote(path)}"


def live(repository: str, notebook: str = FIRST_NOTEBOOK) -> dict[str, str]:
    """The services that open the workshop in a browser, and their addresses for this repository.

    Sources: GitHub Docs, "Facilitating quick creation and resumption of codespaces"; mybinder.readthedocs.io, "User
    interfaces".
    """
    return {
        "GitHub Codespaces": f"https://codespaces.new/{repository}",
        "Binder": f"https://mybinder.org/v2/gh/{repository}/HEAD?{urlencode({'urlpath': f'lab/tree/{notebook}'})}",
    }
