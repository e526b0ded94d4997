"""`python3 -m helpers bench`: measures the embedded AWS beside others, and writes the figures into its README."""

import os
from pathlib import Path

from .. import settings
from ..bench import machine, page
from ..bench.figures import Measurements
from ..bench.scenarios import FULL, QUICK, SCENARIOS, measure
from ..bench.subject import BenchError
from . import say


def run(names: list[str], quick: bool = False, serverless: Path | None = None) -> int:
    """Measure these scenarios, or all, and print a table on stdout; all of them, in full, go into the README, too.

    `quick` takes small numbers. `serverless` is a folder in which npm has installed serverless-offline.
    """
    if unknown := [name for name in names if name not in SCENARIOS]:
        raise BenchError(f"There is no scenario {', '.join(unknown)}; there is {', '.join(SCENARIOS)}.")
    if serverless:
        os.environ["PATH"] = os.pathsep.join([str(serverless / "node_modules" / ".bin"), os.environ.get("PATH", "")])
    measured = Measurements([machine.described(), machine.load("At the beginning")])
    measured.figures, measured.remarks = measure(names or list(SCENARIOS), QUICK if quick else FULL, say)
    measured.machine.append(machine.load("At the end"))
    print(page.table(measured))
    for sentence in (*measured.machine, *measured.remarks):
        say(sentence)
    if not names and not quick:
        page.write(measured)
        say(f"The figures are in {page.PAGE.relative_to(settings.ROOT)}.")
    return 0


def write_again() -> int:
    """Make the README's part and the picture anew of the figures of the last run."""
    page.write(Measurements.read(page.DATA))
    say(f"The figures in {page.PAGE.relative_to(settings.ROOT)} are written anew.")
    return 0
