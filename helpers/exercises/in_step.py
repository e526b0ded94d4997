"""Invokes a copy of the reader's function several times at the same moment, so that the runs certainly meet."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..connect import Workshop
from ..deploying.deploy import deploy
from .copies import copy, wrapped
from .diagnosis import Outcome
from .probe import Probe, unique

HANDLER = Path(__file__).with_name("in_step_handler.py")
NOTES = ("dynamodb:GetItem", "dynamodb:UpdateItem")  # what the copy does to meet the others
TIMEOUT_S = 120  # of the copy: it waits for the others, whose environments may be slow to start


class InStep:
    """A copy of a function whose runs take their AWS calls in step: see in_step_handler.py.

    They meet through items of `table`, which the copy's role lets it read and write; its one key is the text `key`.
    """

    def __init__(self, probe: Probe, table: str, key: str) -> None:
        self._probe, self._table, self._key = probe, table, key

    def invoke(self, events: Sequence[Any]) -> list[Outcome]:
        """Invoke once for each event, all at once; what came of each, in the order of the events."""
        item = {self._key: {"S": f"in-step-{unique()}"}}
        try:
            with ThreadPoolExecutor(len(events)) as threads:
                return list(threads.map(self._probe.invoke, self._in_step(events, item)))
        finally:
            self._probe.workshop.client("dynamodb").delete_item(TableName=self._table, Key=item)

    def _in_step(self, events: Sequence[Any], item: dict[str, Any]) -> list[dict[str, Any]]:
        steps = {"table": self._table, "key": item, "runs": len(events)}
        return [{"event": event, "steps": steps | {"place": place}} for place, event in enumerate(events)]


@contextmanager
def in_step(probe: Probe, table: str, key: str) -> Iterator[InStep]:
    """Deploy a copy of the probe's Python function while the block lasts."""
    with copy(probe, "in-step", {HANDLER.name: HANDLER.read_text(encoding="utf-8")}) as made:
        role = _role(probe.workshop, str(probe.function.configuration["Role"]), table)
        options = wrapped(probe.function, HANDLER) | {"Role": role, "Timeout": TIMEOUT_S}
        deploy(probe.workshop, made.function.name, made.function.files, **options)
        yield InStep(made, table, key)


def _role(workshop: Workshop, arn: str, table: str) -> str:
    """A role that may do what the reader's may, and note in the table how far a run has come."""
    iam, reader = workshop.client("iam"), {"RoleName": arn.rpartition("/")[2]}
    attached = iam.list_attached_role_policies(**reader)["AttachedPolicies"]
    managed = [each["PolicyArn"].partition(":iam::aws:policy/")[2] for each in attached]
    own: list[dict[str, Any]] = []
    for name in iam.list_role_policies(**reader)["PolicyNames"]:
        statements = iam.get_role_policy(**reader, PolicyName=name)["PolicyDocument"]["Statement"]
        own += statements if isinstance(statements, list) else [statements]
    table_arn = workshop.client("dynamodb").describe_table(TableName=table)["Table"]["TableArn"]
    notes = {"Effect": "Allow", "Action": list(NOTES), "Resource": table_arn}
    return workshop.role(*filter(None, managed), *own, notes)
