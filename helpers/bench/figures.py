"""What was measured, on which machine, and what could not be; kept as JSON beside the page that is made of it."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..files.whole_file import write_whole


@dataclass(frozen=True)
class Figure:
    """One thing measured on one subject: the median of so many times, and where the middle half of them lies."""

    what: str
    subject: str
    unit: str
    times: int
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, what: str, subject: str, unit: str, values: Sequence[float]) -> "Figure":
        low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        return cls(
            what, subject, unit, len(values), *(_rounded(each) for each in (statistics.median(values), low, high))
        )


@dataclass
class Measurements:
    """One run: the machine, in sentences; the figures; and sentences on what was left out or done less of."""

    machine: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def figure(self, what: str, subject: str) -> Figure | None:
        found = (each for each in self.figures if (each.what, each.subject) == (what, subject))
        return next(found, None)

    def write(self, path: Path) -> None:
        write_whole(path, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Measurements":
        kept = json.loads(path.read_text(encoding="utf-8"))
        return cls(kept["machine"], [Figure(**each) for each in kept["figures"]], kept["remarks"])


def _rounded(value: float) -> float:
    """To three digits: no measurement has more."""
    return float(f"{value:.3g}")
