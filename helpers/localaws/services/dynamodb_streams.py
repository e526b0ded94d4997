"""Records of a stream of DynamoDB: their size and id, and who has deleted what time to live has ended.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html,
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""

import base64
import threading
import uuid
from typing import Any

from ministack.core import responses
from ministack.services import dynamodb

from .contract import Contract
from .shapes import Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (dynamodb, "_build_change_record"): ("table", "event_name", "old_item", "new_item", "view_type"),
    (dynamodb, "_emit_stream_event"): ("table_name", "event_name", "old_item", "new_item", "replicate"),
    (dynamodb, "_remove_item"): ("table", "pk_val", "sk_val"),
    (responses, "set_request_account_id"): ("access_key_id",),
    (responses, "set_request_region"): ("region",),
}

REAPER = "dynamodb-ttl-reaper"  # MiniStack's thread
SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
CONTAINER_BYTES = 3  # of a list or a map, and one for each that is in it: CapacityUnitCalculations.html


def install() -> None:
    """Let MiniStack's records tell more. Call once, before it serves."""
    build, remove = dynamodb._build_change_record, dynamodb._remove_item

    def record_of(table: Record, event_name: str, old_item: Any, new_item: Any, view_type: str) -> Record:
        record: Record = build(table, event_name, old_item, new_item, view_type)
        change = record["dynamodb"]
        parts = (change.get(part) or {} for part in ("Keys", "NewImage", "OldImage"))
        change["SizeBytes"] = sum(map(_size_of_item, parts))
        record["eventID"] = uuid.uuid4().hex
        if threading.current_thread().name == REAPER:
            record["userIdentity"] = SERVICE
        return record

    def removed(table: Record, pk_val: Any, sk_val: Any) -> None:
        item = (table["items"].get(pk_val) or {}).get(sk_val)
        remove(table, pk_val, sk_val)
        if item and threading.current_thread().name == REAPER:  # which tells no stream
            _, _, _, region, account, name = table["TableArn"].split(":", 5)
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            dynamodb._emit_stream_event(name.removeprefix("table/"), "REMOVE", item, None)

    dynamodb._build_change_record = record_of
    dynamodb._remove_item = removed


def _size_of_item(item: Record) -> int:
    return sum(len(name.encode()) + _size_of(value) for name, value in item.items())


def _size_of(value: Record) -> int:
    """How many bytes DynamoDB counts for a value, e.g. {"S": "text"}."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return _size_of_number(content)
    if kind == "B":
        return len(base64.b64decode(content))
    if kind in ("SS", "NS", "BS"):
        return sum(_size_of({kind[0]: each}) for each in content)
    if kind == "L":
        return CONTAINER_BYTES + sum(1 + _size_of(each) for each in content)
    if kind == "M":
        return CONTAINER_BYTES + len(content) + _size_of_item(content)
    return 1  # BOOL, NULL


def _size_of_number(text: str) -> int:
    """One byte for two digits that count, and one more; another one for a sign."""
    digits = text.lower().partition("e")[0].lstrip("+-").replace(".", "").strip("0") or "0"
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")
