"""What access activity tells of roles: which of their calls were refused, and which of their permissions not used."""

import fnmatch
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

LOGS = ":policy/service-role/AWSLambdaBasicExecutionRole"
Access = dict[str, Any]  # see localaws.access_activity


def refused(activity: Iterable[Access]) -> set[str]:
    """What was refused, such as "a role: s3:PutObject" or "learner: s3:PutObject"."""
    return {f"{_who(access)}: {access['action']}" for access in activity if access.get("allowed") is False}


def unused(activity: Iterable[Access]) -> set[str]:
    """What inline policies allow and no role with such a statement did, such as "s3:PutObject on arn:aws:s3:::x/*".

    And every managed policy but the one for logs: each allows more than a function of the workshop needs.
    """
    given, done, managed = defaultdict(set), defaultdict(list), set()
    for access in activity:
        if access.get("policy", "").startswith("arn:"):
            managed.add(access["policy"])
        elif "role" in access:
            for statement in _statements(access["policy"]):
                given[json.dumps(statement)].add(access["role"])
        elif access["allowed"] and _who(access) == "a role":
            done[access["principal"].split("/")[1]].append(access)
    return {arn for arn in managed if not arn.endswith(LOGS)} | {
        f"{action} on {resource}"
        for text, roles in given.items()
        for action in _listed(json.loads(text)["Action"])
        for resource in _listed(json.loads(text)["Resource"])
        if not any(
            _covers(action, each["action"]) and _covers(resource, each["resource"])
            for role in roles
            for each in done[role]
        )
    }


def _who(access: Access) -> str:
    kind, name = access["principal"].split(":")[-1].split("/")[:2]
    return name if kind == "user" else "a role"


def _statements(policy: str) -> list[dict[str, Any]]:
    """What allows in an inline policy."""
    return [statement for statement in _listed(json.loads(policy)["Statement"]) if statement["Effect"] == "Allow"]


def _covers(pattern: str, value: str) -> bool:
    return fnmatch.fnmatchcase(value.lower(), pattern.lower())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
