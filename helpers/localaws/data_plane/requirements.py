"""with_requirements() finds Python distributions and all that they require.

It looks at what is installed, and reads each distribution's own metadata.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib import metadata

HERE = {"extra": ""}  # markers are evaluated for this machine, and no extra is asked for


def with_requirements(
    names: Iterable[str],
    find: Callable[[str], metadata.Distribution] = metadata.distribution,
    markers: Mapping[str, str] = HERE,
) -> dict[str, metadata.Distribution]:
    """The distributions of these names and those that they require, by normalised name.

    `find` gives a distribution by its name; `markers` says for which machine they are, as PEP 508 names it. Raises
    what `find` raises, by default metadata.PackageNotFoundError.
    """
    from packaging.requirements import Requirement  # no part of the standard library, which the door keeps to
    from packaging.utils import canonicalize_name

    found: dict[str, metadata.Distribution] = {}
    wanted = list(names)
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name in found:
            continue
        found[name] = find(name)
        needed = [Requirement(text) for text in found[name].requires or ()]
        wanted += [each.name for each in needed if not each.marker or each.marker.evaluate(dict(markers))]
    return found
