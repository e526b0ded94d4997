"""DescribeLogGroups and DescribeLogStreams: pages whose tokens name the last item, so that a new one moves no other.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html. MiniStack adds up the
bytes of all events for each answer, and reads them for it.
"""

from typing import Any

from ministack.services import cloudwatch_logs

from ..contract import Contract
from ..shapes import Record
from .log_events import Events
from .request import Refused, constraint, content_of, limit, log_group, not_ours, operation, token

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_describe_log_groups"): ("data",),
    (cloudwatch_logs, "_describe_log_streams"): ("data",),
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_make_group_arn_no_star"): ("name",),
    (cloudwatch_logs, "_metric_filters"): None,
}

PAGE = 50
ORDERS = ("LogStreamName", "LastEventTime")


def install() -> None:
    """Let MiniStack answer with these. Call once, before it serves."""
    cloudwatch_logs._describe_log_groups = operation(describe_log_groups)
    cloudwatch_logs._describe_log_streams = operation(describe_log_streams)


def describe_log_groups(data: Record) -> Record:
    prefix, pattern = data.get("logGroupNamePrefix"), data.get("logGroupNamePattern")
    if prefix and pattern:
        raise Refused("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    chosen = data.get("logGroupIdentifiers")
    found = {
        name: group
        for name, group in cloudwatch_logs._log_groups.items()
        if name.startswith(prefix or "")
        and (pattern or "") in name
        and (chosen is None or name in chosen or cloudwatch_logs._make_group_arn_no_star(name) in chosen)
        and data.get("logGroupClass") in (None, _class(group))
    }
    page, next_token = _page([(name,) for name in found], data)
    return {"logGroups": [_described(name, found[name]) for (name,) in page], **next_token}


def describe_log_streams(data: Record) -> Record:
    group_name, group = log_group(data)
    prefix, order = data.get("logStreamNamePrefix"), data.get("orderBy", ORDERS[0])
    if order not in ORDERS:
        raise constraint("orderBy", order, f"satisfy enum value set: [{', '.join(ORDERS)}]")
    if prefix and order == "LastEventTime":
        raise Refused("Cannot order by LastEventTime with a logStreamNamePrefix.")
    arn = f"{cloudwatch_logs._make_group_arn_no_star(group_name)}:log-stream:"
    streams = {name: stream for name, stream in list(group["streams"].items()) if name.startswith(prefix or "")}
    by_time = order == "LastEventTime"
    keys = [(stream["lastEventTimestamp"] or 0, name) if by_time else (name,) for name, stream in streams.items()]
    page, next_token = _page(keys, data, bool(data.get("descending")))
    described = []
    for *_, name in page:
        times = ("creationTime", "firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime")
        entry = {"logStreamName": name, "arn": arn + name, "uploadSequenceToken": streams[name]["uploadSequenceToken"]}
        entry |= {time: streams[name][time] for time in times if streams[name][time] is not None}
        described.append({**entry, "storedBytes": 0})  # AWS counts no bytes of a stream since 2019
    return {"logStreams": described, **next_token}


def _page(keys: list[tuple[Any, ...]], data: Record, descending: bool = False) -> tuple[list[tuple[Any, ...]], Record]:
    """Those keys that are on the page, and the token of the next one where there is one."""
    most, ordered = limit(data, PAGE), sorted(keys, reverse=descending)
    if "nextToken" in data:
        last = tuple(content_of(data["nextToken"]))
        try:
            ordered = [key for key in ordered if (key < last if descending else key > last)]
        except TypeError:  # a token of another operation or order
            raise not_ours() from None
    page = ordered[:most]
    return page, {"nextToken": token(*page[-1])} if len(ordered) > most else {}


def _class(group: Record) -> str:
    return group.get("logGroupClass") or "STANDARD"


def _described(name: str, group: Record) -> Record:
    kept = [stream["events"] for stream in list(group["streams"].values())]
    entry = {
        "logGroupName": name,
        "arn": group["arn"],
        "logGroupArn": cloudwatch_logs._make_group_arn_no_star(name),
        "creationTime": group["creationTime"],
        "storedBytes": sum(events.size for events in kept if isinstance(events, Events)),
        "metricFilterCount": sum(key[0] == name for key in cloudwatch_logs._metric_filters),
        "logGroupClass": _class(group),
        "deletionProtectionEnabled": bool(group.get("deletionProtectionEnabled")),
    }
    return entry | {
        member: group[member] for member in ("retentionInDays", "kmsKeyId") if group.get(member) is not None
    }
