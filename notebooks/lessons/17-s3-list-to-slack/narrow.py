"""Whether the role of lab 17 is as narrow as the function's one call: ListObjectsV2, which asks for s3:ListBucket."""

import json
import time
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any

from helpers import settings
from helpers.connect import BASIC_EXECUTION, Workshop
from helpers.exercises.exercise import NotSolved
from helpers.exercises.probe import Probe, s3_event

CALL, NEEDS = "ListObjectsV2", "s3:ListBucket"
LOGS = "logs:"  # what a role may say itself in place of BASIC_EXECUTION
SPREADS_S = 60  # a change of a policy on AWS: "a few seconds" in its words
NOT_ASKED = (
    "policies are not asked here, so what the role allows was read and not tried"
)
NOT_YOURS = (
    "the role is WORKSHOP_ROLE, which is not yours to change, so it was not judged"
)


def judge_role(probe: Probe, bucket: str) -> list[str]:
    """NotSolved for a role that allows what the function does not call, or that has a statement too many."""
    workshop, arn = probe.workshop, str(probe.function.configuration["Role"])
    if workshop.target == "aws" and settings.role():
        return [NOT_YOURS]
    role = Role(workshop, arn)
    if sentence := role.too_wide():
        raise NotSolved(sentence)
    return role.try_without(probe, bucket)


class Role:
    """The reader's role: its policies, and the same with a statement left out, for a moment."""

    def __init__(self, workshop: Workshop, arn: str) -> None:
        self._workshop, self._iam = workshop, workshop.client("iam")
        self.name, self._partition = arn.rpartition("/")[2], arn.split(":")[1]
        names = self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        self._policies = {name: self._statements(name) for name in names}

    def too_wide(self) -> str | None:
        """The sentence for what is wider than the function's call, or None."""
        attached = self._iam.list_attached_role_policies(RoleName=self.name)
        for each in attached["AttachedPolicies"]:
            if not each["PolicyArn"].endswith(f":policy/{BASIC_EXECUTION}"):
                return (
                    f"The role {self.name} has the policy {each['PolicyName']} as well, and all that it allows; take it "
                    f"away with detach_role_policy: the function calls {CALL} alone, which needs {NEEDS}."
                )
        statements = (each for policy in self._policies.values() for each in policy)
        return next(filter(None, map(self._of_statement, statements)), None)

    def try_without(self, probe: Probe, bucket: str) -> list[str]:
        """NotSolved for a statement without which the function goes on."""
        tried = [
            (name, each)
            for name, policy in self._policies.items()
            for each in policy
            if each["Effect"] == "Allow" and not _is_for_logs(each)
        ]
        if self._works_without(tried, probe, bucket):
            return [NOT_ASKED]
        for one in tried if len(tried) > 1 else []:
            if self._works_without([one], probe, bucket):
                raise NotSolved(
                    f"The function lists the bucket also without {json.dumps(one[1])[:150]}, a statement of "
                    f"{self.name}; leave that out."
                )
        return []

    def _works_without(
        self, left_out: list[tuple[str, Any]], probe: Probe, bucket: str
    ) -> bool:
        """Whether the function still ends well without these statements, which are then put back."""
        try:
            for name, policy in self._policies.items():
                self._put(
                    name, [each for each in policy if (name, each) not in left_out]
                )
            return not self._ends(probe, bucket, failed=True)
        finally:
            for name, policy in self._policies.items():
                self._put(name, policy)
            self._ends(probe, bucket, failed=False)

    def _ends(self, probe: Probe, bucket: str, failed: bool) -> bool:
        """Whether the function ends so; on AWS a change of its role takes some seconds."""
        until = time.monotonic() + (SPREADS_S if self._workshop.target == "aws" else 0)
        while probe.invoke(s3_event(bucket, "any")).failed != failed:
            if time.monotonic() > until:
                return False
            time.sleep(2)
        return True

    def _of_statement(self, statement: dict[str, Any]) -> str | None:
        if statement["Effect"] != "Allow" or _is_for_logs(statement):
            return None
        if not {"Action", "Resource"} <= set(statement):
            return f"A statement of {self.name} allows all but what it names; write Action and Resource instead."
        for action in _listed(statement["Action"]):
            if action.lower() != NEEDS.lower():
                return self._of_action(action)
        for resource in _listed(statement["Resource"]):
            yours = f"arn:{self._partition}:s3:::{self._workshop.tags['learner']}-"
            if not resource.startswith(yours):
                return (
                    f"The role {self.name} allows {NEEDS} on {resource}, which is more than your buckets; "
                    f"their ARNs begin with {yours}."
                )
            if "/" in resource:
                return (
                    f"The role {self.name} allows {NEEDS} on {resource}, which are objects, and it is a right on the "
                    "bucket; take away what comes after the bucket's name."
                )
        return None

    def _of_action(self, action: str) -> str:
        if fnmatchcase(NEEDS.lower(), action.lower()):
            return (
                f"The role {self.name} allows {action}, more than one action; the function's only call is {CALL}, "
                f"which needs {NEEDS} alone."
            )
        return (
            f"The role {self.name} allows {action}, which the function never calls; leave it out, its only call "
            f"is {CALL}, which needs {NEEDS}."
        )

    def _statements(self, policy: str) -> list[dict[str, Any]]:
        answer = self._iam.get_role_policy(RoleName=self.name, PolicyName=policy)
        return _listed(answer["PolicyDocument"]["Statement"])

    def _put(self, policy: str, statements: list[dict[str, Any]]) -> None:
        of = {"RoleName": self.name, "PolicyName": policy}
        if statements:
            document = {"Version": "2012-10-17", "Statement": statements}
            self._iam.put_role_policy(**of, PolicyDocument=json.dumps(document))
        else:
            with suppress(self._iam.exceptions.NoSuchEntityException):
                self._iam.delete_role_policy(**of)


def _is_for_logs(statement: dict[str, Any]) -> bool:
    return all(
        action.startswith(LOGS) for action in _listed(statement.get("Action", ""))
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
