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
        self._moved = {source: path for path, source in here.items()} | below if moved else here

    def command(self, runtime: Runtime, wrapper: str | None) -> list[str]:
        """What starts it, as argument of a wrapper where a function has one."""
        command = list(map(self._seen, runtime.command))
        return ["/bin/sh", "-c", _WRAP, self._seen(wrapper), *command] if wrapper else command

    def variables(self, runtime: Runtime) -> dict[str, str]:
        return {name: self._seen(value) for name, value in runtime.variables.items()}

    def _seen(self, text: str) -> str:
        """The same, with each path of it as the function finds it: one alone, after "=" or in a list."""
        return "".join(map(self._path, re.split("([:=])", text)))

    def _path(self, text: str) -> str:
        if text == str(BOOTSTRAP):
            return self.runtime
        for source, path in sorted(self._moved.items(), reverse=True):  # what lies in another comes before it
            if text == source or text.startswith(f"{source}/"):
                return path + text.removeprefix(source)
        return text
