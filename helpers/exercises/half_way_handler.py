"""Runs in Lambda, around a copy of the reader's function: an invocation stops half-way, as one whose process dies.

It makes as many changes in AWS as the event says, and the next one stops it. What only reads is let through.
"""

import importlib
import os
from typing import Any

from botocore.client import BaseClient

READS = ("Describe", "Get", "Head", "List", "Query", "Scan")

call_aws = BaseClient._make_api_call
left = [0]  # changes, of the invocation that is under way


class Stopped(BaseException):
    """No Exception: a reader's `except Exception` must not see it, as it would not see the end of the process."""


def counted(client: BaseClient, operation: str, *arguments: Any, **named: Any) -> Any:
    if not operation.startswith(READS):
        if left[0] == 0:
            raise Stopped
        left[0] -= 1
    return call_aws(client, operation, *arguments, **named)


BaseClient._make_api_call = counted
module, _, function = os.environ["READERS_HANDLER"].rpartition(".")
readers = getattr(importlib.import_module(module.replace("/", ".")), function)


def handler(event: dict[str, Any], context: Any) -> bool:
    left[0] = event["changes"]
    try:
        readers(event["event"], context)
    except Stopped:
        return True
    return False
