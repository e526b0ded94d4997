"""Keeps which calls to AWS a solution made, beside it: policies.py makes of them what a person may do on AWS.

What differs from run to run, or between learners, is left out: account, region, the ids that AWS makes up, and of a
name all but the learner's prefix.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..policies import LEARNER, Calls

PREFIX = "learner"  # of the names that a solution makes
# Ids in ARNs: of event source mappings, of EC2, of DB proxies, and all that is below an API
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(i|lt|vol|ami|subnet|sg|prx)-[0-9a-z]+|(?<=/apis/).+")


def calls_of(activity: Iterable[dict[str, Any]]) -> Calls:
    """What the learner was allowed, and the roles, by resource, and to which services roles were passed."""
    found: dict[str, defaultdict[str, set[str]]] = {kind: defaultdict(set) for kind in ("learner", "passed", "roles")}
    for access in activity:
        if not access.get("allowed"):
            continue
        kind = "learner" if access["principal"].endswith(f":user/{PREFIX}") else "roles"
        resource, action = pattern(access["resource"]), access["action"]
        if "passed_to" in access:
            found["passed"][resource].add(access["passed_to"])
        else:
            found[kind][resource].add(action)
    return {kind: {name: sorted(each) for name, each in sorted(by.items())} for kind, by in found.items()}


def pattern(arn: str) -> str:
    """An ARN as a policy names it, for whichever learner, account and region."""
    if not arn.startswith("arn:"):
        return arn
    _, partition, service, region, account, resource = arn.split(":", 5)
    begins = f"arn:{partition}:{service}:{region and '*'}:{'*' if account.isdigit() else account}:"
    named = re.search(rf"(?:^|[:/]){PREFIX}-", resource)
    if not named:
        return begins + ID.sub("*", resource)
    before, after = resource[: named.end() - len(f"{PREFIX}-")], resource[named.end() :]
    inside = "/*" if service == "s3" and "/" in after else ""  # an object, which is no bucket
    return f"{begins}{before}{LEARNER}-*{inside}"


def write(calls: Calls, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(calls, indent=1) + "\n", encoding="utf-8")
