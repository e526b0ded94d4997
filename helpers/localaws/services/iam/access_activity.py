"""Access activity: who did which action on which resource, and who was refused; kept in a file, where this is wanted.

CloudTrail tells the same on AWS, and IAM Access Analyzer makes policies of it:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-policy-generation.html. With each role go the policies
that it was given, as a role is gone when somebody asks what it was for.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import iam

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (iam, "_IAM_HANDLERS"): None,
    (iam, "_p"): ("params", "key", "default"),
    (iam_evaluator, "AuthError"): None,
    (iam_evaluator, "enforce"): ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
    (iam_evaluator, "resolve_principal"): ("access_key_id", "account_id", "credential"),
    (responses, "get_account_id"): (),
}

MAX_LINES = 20_000  # a notebook has some hundreds, as each is written once
GIVES = {"PutRolePolicy": "PolicyDocument", "AttachRolePolicy": "PolicyArn"}  # what gives a role a policy, and which


class AccessActivity:
    """Writes each different access into a file, once, as a line of JSON; once more after somebody has emptied it."""

    def __init__(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        self._lines = file.open("a", encoding="utf-8", buffering=1)
        self._known: set[str] = set()

    def install(self) -> None:
        """Let MiniStack's decisions be noted. Call once, before it serves, and after IAM is as AWS's."""
        iam_evaluator.enforce = self._noting(iam_evaluator.enforce)
        for action, policy in GIVES.items():
            iam._IAM_HANDLERS[action] = self._giving(iam._IAM_HANDLERS[action], policy)

    def note(self, principal: str, action: str, resource: str, allowed: bool, **more: str) -> None:
        """Write down what somebody asked for."""
        self._write({"principal": principal, "action": action, "resource": resource, "allowed": allowed, **more})

    def close(self) -> None:
        self._lines.close()

    def _noting(self, enforce: Callable[..., Any]) -> Callable[..., Any]:
        """MiniStack's decision on a request, noted."""

        def enforced(
            access_key_id: str,
            iam_action: str,
            service: str,
            region: str,
            resource_arn: str = "*",
            service_context: Record | None = None,
        ) -> Any:
            denied = enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
            if access_key_id and not isinstance(denied, iam_evaluator.AuthError):
                who = iam_evaluator.resolve_principal(access_key_id, responses.get_account_id())
                service_of = {"passed_to": to} if (to := (service_context or {}).get("iam:passedtoservice")) else {}
                self.note(getattr(who, "arn", ""), iam_action, resource_arn, denied is None, **service_of)
            return denied

        return enforced

    def _giving(self, change: Callable[[Record], Answer], policy: str) -> Callable[[Record], Answer]:
        """`change`, which gives a role a policy, noted once it is done."""

        def given(p: Record) -> Answer:
            answer = change(p)
            if answer[0] == 200:
                self._write({"role": iam._p(p, "RoleName"), "policy": iam._p(p, policy)})
            return answer

        return given

    def _write(self, access: Record) -> None:
        if not os.fstat(self._lines.fileno()).st_size:
            self._known.clear()
        line = json.dumps(access)
        if line not in self._known and len(self._known) < MAX_LINES:
            self._known.add(line)
            self._lines.write(line + "\n")
