"""Writes the solved workshop as a static site: the notebooks of solutions/ as pages, which nothing executes.

The tool is Sphinx with myst-nb and the theme of PyData, in an environment of its own: all three come from the package
registry, and their pages ask no other host for anything. Jupyter Book 2 (mystmd) fetches its themes from a server when
it builds, and nbconvert has no search. Of Sphinx's themes this one is the most accessible: on the same five pages
axe-core 4.14 found one thing of its own to say against it, a label, and against furo three; it lets the keyboard scroll
what is wide.

`write` is what the command calls. `source.py` gathers what Sphinx reads, with `pages.py`, `outputs.py` and `links.py`;
`building.py` calls Sphinx, whose settings and looks are in `sphinx/`.
"""

from .building import SiteError, write

__all__ = ["SiteError", "write"]
