"""What a cold call of the reader's Python function is billed, and loads: a copy is started anew, several times."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..deploying.deploy import deploy
from ..measuring.reports import reports
from .copies import copy
from .probe import Probe, unique

ROUNDS = 3  # the least of them counts: whatever else the machine does only makes a start longer
# Around the copy: answers which modules are there once the reader's handler has run.
LOADED = """
import importlib
import os
import sys

module, _, function = os.environ["COLD_HANDLER"].rpartition(".")
readers = getattr(importlib.import_module(module.replace("/", ".")), function)


def handler(event, context):
    readers(event, context)
    return sorted({name.partition(".")[0] for name in sys.modules})
"""


class ColdCall(NamedTuple):
    """The least Billed Duration of some cold calls, init included, and the modules that one has loaded."""

    billed_ms: float
    modules: list[str]


def cold_call(probe: Probe, event: Any, when: str) -> ColdCall:
    """Start a copy anew in each round, and invoke it once. Raises NotSolved where that fails. The copy is gone then."""
    workshop, function, began = probe.workshop, probe.function, datetime.now(UTC)
    variables = function.variables | {"COLD_HANDLER": function.configuration["Handler"]}
    with copy(probe, "cold", {"cold_call.py": LOADED}) as made:
        name, files = made.function.name, made.function.files
        for _ in range(ROUNDS):
            anew = {"Variables": variables | {"ROUND": unique()}}
            deploy(workshop, name, files, Handler="cold_call.handler", Environment=anew, **function.of_a_copy)
            modules = made.succeed(event, when).payload
        rows = reports(workshop.client("logs"), name, at_least=ROUNDS, since=began)
    return ColdCall(float(rows[rows["init_ms"].notna()]["billed_ms"].min()), modules)
