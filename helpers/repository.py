"""Where this workshop is published, as pyproject.toml says, and the addresses that open it there without installing it.

Whoever publishes a copy names its address, on GitHub, as `Repository` under [project.urls]; nothing else holds it.
"""

import re
import tomllib
from urllib.parse import urlencode

from . import settings
from .errors import WorkshopError

ON_GITHUB = re.compile(r"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*/[\w.-]+?)(?:\.git)?/?", re.ASCII)
FIRST_NOTEBOOK = "notebooks/00-start-here.ipynb"


class RepositoryError(WorkshopError):
    """What pyproject.toml names is no repository on GitHub; the message is one sentence for the reader."""


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


def live(repository: str, notebook: str = FIRST_NOTEBOOK) -> dict[str, str]:
    """The services that open the workshop in a browser, and their addresses for this repository.

    Sources: GitHub Docs, "Facilitating quick creation and resumption of codespaces"; mybinder.readthedocs.io, "User
    interfaces".
    """
    return {
        "GitHub Codespaces": f"https://codespaces.new/{repository}",
        "Binder": f"https://mybinder.org/v2/gh/{repository}/HEAD?{urlencode({'urlpath': f'lab/tree/{notebook}'})}",
    }
