"""What the reader's function is billed: invoked by a check, and read off its REPORT lines at AWS's list prices."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from ..measuring.prices import load_prices
from ..measuring.reports import reports, tables
from ..session import record
from .deployed import Deployed
from .exercise import NotSolved
from .probe import Probe

CALLS = 8  # the least of them counts: whatever else the machine does only makes a call longer


def billed_ms(probe: Probe, event: Any, when: str) -> float:
    """The least Billed Duration of some warm calls, in ms. Raises NotSolved where one of them fails."""
    began = datetime.now(UTC)
    for _ in range(CALLS):
        probe.succeed(event, when)
    rows = reports(probe.workshop.client("logs"), probe.function.name, at_least=CALLS, since=began)
    return float(rows[rows["init_ms"].isna()]["billed_ms"].min())


def architecture(function: Deployed) -> str:
    [only] = function.configuration.get("Architectures", ["x86_64"])
    return str(only)


def usd(function: Deployed, requests: float, billed: float) -> float:
    """What so many requests cost, each billed for `billed` ms at the function's memory and architecture."""
    prices = load_prices()["lambda"]
    gb_seconds = requests * int(function.configuration["MemorySize"]) / 1024 * billed / 1000
    return float(requests * prices["request"] + gb_seconds * prices["gb_second"][architecture(function)])


def require_same_code(function: Deployed, wanted: str) -> None:
    """NotSolved when the code is not what the notebook has deployed, where the configuration alone is asked for."""
    if wanted not in function.files.get("app.py", ""):
        raise NotSolved(
            f"The code of {function.name} was changed, and its configuration alone is asked for; run the cell that "
            "deploys it, and begin again."
        )


def note_bill(bill: Callable[[pd.DataFrame], float]) -> None:
    """Enter in the record what all that this kernel has read of reports() costs, by the reader's own `bill`."""
    read = tables()
    with contextlib.suppress(Exception):  # the reader's own function, of more than the check has given it
        frame = pd.concat(read.values(), ignore_index=True)
        usd = float(bill(frame))
        what = f"{len(frame):,} invocation{'s' * (len(frame) != 1)} of {len(read):,} function{'s' * (len(read) != 1)}"
        record.note("bill", usd=usd, text=f"{what}: {usd:.8f} USD")
