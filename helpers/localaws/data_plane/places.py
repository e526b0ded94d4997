"""Where a function finds its code, its layers and its runtime: where AWS has them, or where they are on this machine.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import re
from collections.abc import Mapping
from pathlib import Path

from . import confinement
from .runtimes import BOOTSTRAP, Runtime

# What AWS's own runtimes do with a wrapper, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html; the
# sentences are those of its start script, and 127 was recorded on AWS on 2025-11-24.
_WRAP = (
    '[ -f "$0" ] || { echo "$0: does not exist"; exit 127; }; '
    '[ -x "$0" ] || { echo "$0: is not an executable"; exit 126; }; exec "$0" "$@"'
)
# The folder of the runtime itself, which NODE_PATH names.
_BOOTSTRAP = re.compile(rf"(?:^|(?<=:)){re.escape(str(BOOTSTRAP))}(?=:|$)")


class Places:
    """The places of one environment, whose code and layers are in `folder`.

    `mounts` is the runtime's; `moved` says whether the function sees them where AWS has them (confinement.py).
    """

    def __init__(self, folder: Path, mounts: Mapping[str, str], moved: bool) -> None:
        here = {confinement.TASK: str(folder / "task"), confinement.OPT: str(folder / "opt")}
        there = {path: path for path in here}
        self.task, self.opt = (there if moved else here).values()
        self.runtime = confinement.RUNTIME if moved else str(BOOTSTRAP)
        below = {source: f"{confinement.RUNTIME}/{name}".rstrip("/") for name, source in mounts.items()}
        self._moved = {source: path for path, source in here.items()} | below if moved else {}
        self._named = {} if moved else here  # what a function calls by AWS's names is there, too

    def command(self, runtime: Runtime, wrapper: str | None) -> list[str]:
        """What starts it, as argument of a wrapper where a function has one."""
        command = [_replaced(each, self._moved) for each in runtime.command]
        return ["/bin/sh", "-c", _WRAP, _replaced(wrapper, self._named), *command] if wrapper else command

    def variables(self, runtime: Runtime) -> dict[str, str]:
        seen = {name: _replaced(value, self._moved) for name, value in runtime.variables.items()}
        return {name: self.runtime.join(_BOOTSTRAP.split(value)) for name, value in seen.items()}


def _replaced(text: str, moved: Mapping[str, str]) -> str:
    """The same with other paths: one alone, after "=" or in a list, and what lies below each."""
    for source, path in sorted(moved.items(), reverse=True):  # what lies in another comes before it
        if source in text:
            text = _replaced_one(text, source, path)
    return text


def _replaced_one(text: str, source: str, path: str) -> str:
    """Without a pattern: to compile one of its own for each environment would be a part of its Init."""
    parts: list[str] = []
    rest = text
    while source in rest:
        before, _, after = rest.partition(source)
        begins = before.endswith((":", "=")) or not (before or parts)
        ends = not after or after.startswith((":", "/"))
        parts += [before, path if begins and ends else source]
        rest = after
    return "".join([*parts, rest])
