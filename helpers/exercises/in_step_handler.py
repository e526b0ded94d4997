"""Runs in Lambda, around a copy of the reader's function: invocations take their AWS calls in step.

Each waits after its first call until all others have made theirs, then after its second, and so on. So what one
invocation has read is old by the time it writes, however busy or idle the machine is: whoever decides by what was
read is seen to be wrong, and whoever lets one call both look and write is not.
"""

import importlib
import os
import time
from typing import Any

import boto3
from botocore.client import BaseClient

LIMIT_S = 60.0  # for the others, one of which may have died
PAUSE_S = 0.02
DONE = 1_000_000  # more calls than anybody makes: what has ended keeps nobody waiting

call_aws = BaseClient._make_api_call


class Steps:
    """How many calls each of some invocations has made, in one item of a table that the function uses anyway."""

    def __init__(self, table: str, key: dict[str, Any], runs: int, place: int) -> None:
        self._table, self._key, self._place = table, key, place
        self._others = [each for each in range(runs) if each != place]
        self._client = boto3.client("dynamodb")
        self._made = 0

    def is_mine(self, client: BaseClient) -> bool:
        return client is self._client

    def made_one(self) -> None:
        """Note one more call, and wait until all others have made as many."""
        self._note(self._made + 1)
        until = time.monotonic() + LIMIT_S
        while any(self._of(other) < self._made for other in self._others) and time.monotonic() < until:
            time.sleep(PAUSE_S)

    def end(self) -> None:
        self._note(DONE)

    def _note(self, made: int) -> None:
        self._made = made
        self._client.update_item(
            TableName=self._table,
            Key=self._key,
            UpdateExpression="SET made_" + str(self._place) + " = :made",
            ExpressionAttributeValues={":made": {"N": str(made)}},
        )

    def _of(self, place: int) -> int:
        item = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True).get("Item", {})
        return int(item.get("made_" + str(place), {"N": "0"})["N"])


now: list[Steps] = []  # of the invocation that is under way


def in_step(client: BaseClient, *arguments: Any, **named: Any) -> Any:
    if not now or now[0].is_mine(client):
        return call_aws(client, *arguments, **named)
    try:
        return call_aws(client, *arguments, **named)
    finally:
        now[0].made_one()


BaseClient._make_api_call = in_step
module, _, function = os.environ["READERS_HANDLER"].rpartition(".")
readers = getattr(importlib.import_module(module.replace("/", ".")), function)


def handler(event: dict[str, Any], context: Any) -> Any:
    steps = Steps(**event["steps"])
    now.append(steps)
    try:
        return readers(event["event"], context)
    finally:
        now.clear()
        steps.end()
