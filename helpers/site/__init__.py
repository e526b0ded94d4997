"""Writes the solved workshop as a static site: the notebooks of solutions/ as pages, which nothing executes.

The tool is Sphinx with myst-nb and the theme of PyData, in an environment of its own: all three come from the package
registry, and their pages ask no other host for anything. Jupyter Book 2 does not build without a server: mystmd 1.11
asks api.mystmd.org for its theme. nbconvert's templates have no search. Of two themes of Sphinx this one is the more
accessible: on the same five pages axe-core 4.14 found one kind of fault that is its own, in furo four.

`write` is what the command calls. `source.py` gathers what Sphinx reads, with `pages.py`, `outputs.py` and `links.py`;
`building.py` calls Sphinx, whose settings and looks are in `sphinx/`.
"""

from .building import SiteError, write

__all__ = ["SiteError", "write"]
