"""The check of 17.1: whether a role allows the function's one call, ListObjectsV2, and nothing more."""

import json
import re
import time
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from helpers import settings
from helpers.connect import BASIC_EXECUTION, Workshop
from helpers.exercises import deployed, diagnosis
from helpers.exercises.diagnosis import Outcome
from helpers.exercises.exercise import NotSolved
from helpers.exercises.probe import Probe

CALL, NEEDS = "ListObjectsV2", "s3:ListBucket"
LOGS = "logs:"  # what a role may say itself in place of BASIC_EXECUTION
OF_THE_SDK = ("ListObjectsV2", "ListObjects", "list_objects_v2")  # no action of IAM
WHY = re.compile(r"\b(?:because|with an explicit deny) [^\n]+")  # in AWS's refusal
SPREADS_S = 60  # a change of a policy on AWS: "a few seconds" in its words
NOT_ASKED = (
    "policies are not asked here, so what the role allows was read and not tried"
)
NOT_YOURS = (
    "the role is WORKSHOP_ROLE, which is not yours to change, so it was not judged"
)


def judge_role(workshop: Workshop, function_name: str, bucket: str) -> list[str]:
    """NotSolved for a role that does not let the function list this bucket, that allows more, or repeats itself."""
    step = "run the cells above that make and deploy it"
    probe = Probe(workshop, deployed.find(workshop, function_name, step))
    role = Role(probe, bucket)
    if workshop.target == "aws" and settings.role():
        role.lets_the_function_in()
        return [NOT_YOURS]
    if sentence := role.too_wide() or role.without_a_policy():
        raise NotSolved(sentence)
    role.lets_the_function_in()
    return role.try_without()


class Role:
    """The reader's role: its policies, and the same with a statement left out, for a moment."""

    def __init__(self, probe: Probe, bucket: str) -> None:
        self._probe, self._bucket = probe, bucket
        self._workshop, self._iam = probe.workshop, probe.workshop.client("iam")
        arn = str(probe.function.configuration["Role"])
        self.name, partition = arn.rpartition("/")[2], arn.split(":")[1]
        self._yours = f"arn:{partition}:s3:::{self._workshop.tags['learner']}-"

    @cached_property
    def _documents(self) -> dict[str, dict[str, Any]]:
        """The role's own policies, as the reader wrote them."""
        names = self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        return {name: self._document(name) for name in names}

    @property
    def _statements(self) -> list[tuple[str, dict[str, Any]]]:
        """Each statement, after the name of its policy."""
        return [
            (name, each)
            for name, document in self._documents.items()
            for each in _listed(document["Statement"])
        ]

    def too_wide(self) -> str | None:
        """The sentence for what is wider than the function's call, or None."""
        attached = self._iam.list_attached_role_policies(RoleName=self.name)
        for each in attached["AttachedPolicies"]:
            if not each["PolicyArn"].endswith(f":policy/{BASIC_EXECUTION}"):
                return (
                    f"The role {self.name} has the policy {each['PolicyName']} as well, and all that it allows; take it "
                    f"away with detach_role_policy: the function calls {CALL} alone, which needs {NEEDS}."
                )
        found = (self._of_statement(statement) for _, statement in self._statements)
        return next(filter(None, found), None)

    def without_a_policy(self) -> str | None:
        """The sentence for a role to which the reader has given nothing yet, or None."""
        if any(not _is_for_logs(statement) for _, statement in self._statements):
            return None
        return (
            f"The role {self.name} may write the log and nothing else yet; write a statement, and put it into the "
            "role with put_policy."
        )

    def lets_the_function_in(self) -> None:
        """NotSolved while the function is refused, with AWS's reason."""
        outcome = self._run(until_failed=False)
        if not outcome.failed:
            return
        function, text = self._probe.function, outcome.error_message
        when = f"for {self._bucket}, a bucket of yours"
        refused = diagnosis.refused_call(text)
        if not refused:
            raise NotSolved(diagnosis.of_failure(outcome, function, when))
        action, resource = refused
        why = WHY.search(text)
        said = f" {why[0].rstrip('.')}" if why else ""
        raise NotSolved(
            f"{function.name} is still refused {when}: it may not call {action} on {resource}{said}; "
            "compare each part of this with your statement."
        )

    def try_without(self) -> list[str]:
        """NotSolved for a statement without which the function goes on."""
        tried = [
            (name, each)
            for name, each in self._statements
            if each["Effect"] == "Allow" and not _is_for_logs(each)
        ]
        if self._works_without(tried):
            return [NOT_ASKED]
        for one in tried if len(tried) > 1 else []:
            if self._works_without([one]):
                raise NotSolved(
                    f"The function lists the bucket also without {json.dumps(one[1])[:150]}, a statement of "
                    f"{self.name}; leave that out."
                )
        return []

    def _works_without(self, left_out: list[tuple[str, Any]]) -> bool:
        """Whether the function still ends well without these statements, which are then put back."""
        try:
            for name, document in self._documents.items():
                of_policy = [
                    each for policy, each in self._statements if policy == name
                ]
                out = [
                    id(each) for _, each in left_out
                ]  # of two that say the same, one
                kept = [each for each in of_policy if id(each) not in out]
                self._put(name, document | {"Statement": kept})
            return not self._run(until_failed=True).failed
        finally:
            for name, document in self._documents.items():
                self._put(name, document)
            self._run(until_failed=False)

    def _run(self, until_failed: bool) -> Outcome:
        """The function's answer; on AWS a change of its role takes some seconds, so it is asked again until then."""
        until = time.monotonic() + (SPREADS_S if self._workshop.target == "aws" else 0)
        while True:
            outcome = self._probe.invoke({"bucket": self._bucket})
            if outcome.failed == until_failed or time.monotonic() > until:
                return outcome
            time.sleep(2)

    def _of_statement(self, statement: dict[str, Any]) -> str | None:
        if statement["Effect"] != "Allow" or _is_for_logs(statement):
            return None
        if not {"Action", "Resource"} <= set(statement):
            return f"A statement of {self.name} allows all but what it names; write Action and Resource instead."
        for action in _listed(statement["Action"]):
            if action.lower() != NEEDS.lower():
                return self._of_action(action)
        for resource in _listed(statement["Resource"]):
            if fnmatchcase(f"{self._yours}any", resource) and not resource.startswith(
                self._yours
            ):
                return (
                    f"The role {self.name} allows {NEEDS} on {resource}, which is more than your buckets; "
                    f"their ARNs begin with {self._yours}."
                )
            if not resource.startswith(self._yours):
                return (
                    f"The role {self.name} allows {NEEDS} on {resource}, which is no bucket of yours; "
                    f"their ARNs begin with {self._yours}."
                )
            if "/" in resource:
                return (
                    f"The role {self.name} allows {NEEDS} on {resource}, which are objects, and it is a right on the "
                    "bucket; take away what comes after the bucket's name."
                )
        return None

    def _of_action(self, action: str) -> str:
        if action.rpartition(":")[2] in OF_THE_SDK:
            return (
                f"The role {self.name} allows {action}, and IAM knows no such action: that is what the API calls it; "
                "take the name that stands after 'not authorized to perform' in the message."
            )
        if fnmatchcase(NEEDS.lower(), action.lower()):
            return (
                f"The role {self.name} allows {action}, more than one action; the function's only call is {CALL}, "
                f"which needs {NEEDS} alone."
            )
        return (
            f"The role {self.name} allows {action}, which the function never calls; leave it out, its only call "
            f"is {CALL}, which needs {NEEDS}."
        )

    def _document(self, policy: str) -> dict[str, Any]:
        answer = self._iam.get_role_policy(RoleName=self.name, PolicyName=policy)
        document: dict[str, Any] = answer["PolicyDocument"]
        return document

    def _put(self, policy: str, document: dict[str, Any]) -> None:
        of = {"RoleName": self.name, "PolicyName": policy}
        if document["Statement"]:
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
