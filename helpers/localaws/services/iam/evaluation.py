"""IAM: the learner as a user who may do everything, and what policies say of a role or a service that acts by itself.

Calls from outside are judged by MiniStack, with the same evaluation:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam, sts

from ...access_key import AccessKey
from ..contract import Contract
from ..shapes import Answer, Record
from . import policy, refusal, request, trust_policy
from .access_activity import AccessActivity
from .sts import session_arn

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (iam, "_IAM_HANDLERS"): None,
    (iam, "_access_keys"): None,
    (iam, "_attach_user_policy"): ("p",),
    (iam, "_create_user"): ("p",),
    (iam, "_now"): (),
    (iam, "_error"): ("status", "code", "message", "ns"),
    (iam, "_roles"): None,
    (iam_evaluator, "AuthError"): None,
    (iam_evaluator, "EvalContext"): None,
    (iam_evaluator, "_gather_role_policies"): ("role_name", "account_id"),
    (iam_evaluator, "_permissions_boundary"): ("store", "name", "account_id"),
    (iam_evaluator, "_resource_policy"): ("service", "resource_arn"),
    (iam_evaluator, "_verified_key"): None,
    (iam_evaluator, "combine_resource_policy"): ("identity", "ctx", "policy", "owner_account", "required", "limits"),
    (iam_evaluator, "enforce"): ("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
    (iam_evaluator, "evaluate"): ("ctx", "policies", "limits"),
    (iam_evaluator, "evaluate_resource_policy"): ("doc", "ctx", "service", "named_only", "direct_only"),
    (iam_evaluator, "parse_policy_document"): ("doc",),
    (iam_evaluator, "resolve_principal"): ("access_key_id", "account_id", "credential"),
    (sts, "_assumed_role_arn"): ("role_arn", "session_name"),
}

USER = "learner"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class Iam:
    """What policies say, noted in `activity`; with `on` False yes to everybody who has a key, and to every service."""

    def __init__(self, on: bool = True, activity: AccessActivity | None = None) -> None:
        self._on, self._activity = on, activity
        self.changes = 0  # how often something of IAM was changed: what was found before may not hold any more

    def install(self, key: AccessKey) -> None:
        """Make the learner, with this key. Call once, before MiniStack serves."""
        iam._create_user({"UserName": [USER]})
        iam._attach_user_policy({"UserName": [USER], "PolicyArn": [ADMINISTRATOR]})
        iam._access_keys[key.access_key_id] = {
            "UserName": USER,
            "AccessKeyId": key.access_key_id,
            "SecretAccessKey": key.secret_access_key,
            "Status": "Active",
            "CreateDate": iam._now(),
        }
        for module in (policy, trust_policy, request, refusal):
            module.install()
        parse = iam_evaluator.parse_policy_document
        parse_once = lru_cache(maxsize=256)(parse)  # it is asked for the same few at each request
        iam_evaluator.parse_policy_document = lambda doc: (parse_once if isinstance(doc, str) else parse)(doc)
        for action in [each for each in iam._IAM_HANDLERS if not each.startswith(("Get", "List", "Simulate"))]:
            iam._IAM_HANDLERS[action] = self._noted(iam._IAM_HANDLERS[action])
        iam_evaluator.resolve_principal = self._known(iam_evaluator.resolve_principal)
        if self._on:
            sts._assumed_role_arn = _at_its_path(sts._assumed_role_arn)
        else:
            iam_evaluator.resolve_principal = _unlimited(iam_evaluator.resolve_principal)
        if self._activity:
            self._activity.install()

    def role_may(self, role_arn: str, session_name: str, action: str, resource: str) -> bool:
        """Whether the policies of a role, its boundary and the policy of the resource allow its session an action."""
        if not self._on:
            return True
        account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        role = _role(role_arn)
        if role is None and iam._roles.get_scoped(account, None, name):  # one of that name, at another path
            return False
        context = iam_evaluator.EvalContext(
            principal_arn=session_arn(role_arn, session_name),
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=resource.split(":")[3] if resource.count(":") > 3 else "",
            principal_keys=_tags_of(role),
        )
        limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
        result = iam_evaluator.evaluate(context, iam_evaluator._gather_role_policies(name, account), *limits)
        if found := iam_evaluator._resource_policy(action.partition(":")[0], resource):
            result = iam_evaluator.combine_resource_policy(result, context, *found, limits=limits)
        if self._activity and role:  # of one that is gone, everything is refused
            self._activity.note(context.principal_arn, action, resource, result.decision == "Allow")
        return bool(result.decision == "Allow")

    def trusts(self, role_arn: str, service: str, source_arn: str = "") -> bool:
        """Whether a role is there that lets a service ("lambda.amazonaws.com") assume it."""
        if not self._on:
            return True
        account, role = role_arn.split(":")[4], _role(role_arn)
        return role is not None and self.service_may(
            role["AssumeRolePolicyDocument"], service, "sts:AssumeRole", role["Arn"], source_arn, account
        )

    def service_may(
        self, policy: str | Record | None, service: str, action: str, resource: str, source_arn: str, account: str
    ) -> bool:
        """Whether the policy of a resource lets a service act on it, for `source_arn`, which belongs to `account`."""
        if not self._on:
            return True
        context = iam_evaluator.EvalContext(
            principal_arn="*",  # so that a policy for everybody is one for the service, too
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=resource,
            region="",
            service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account},
        )
        return bool(iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow")

    def may_pass(self, role_arn: str, service: str, region: str) -> str | None:
        """Why the sender of this request may not hand a role to a service, in AWS's words, or None where they may."""
        return self.refusal("iam:PassRole", role_arn, region, {"iam:passedtoservice": service})

    def refusal(self, action: str, resource: str, region: str = "", context: Record | None = None) -> str | None:
        """Why the sender of this request may not do this, in AWS's words, or None where they may."""
        key = iam_evaluator._verified_key.get()
        if not key:  # nobody's request: another service has asked
            return None
        denied = iam_evaluator.enforce(key, action, action.partition(":")[0], region, resource, context)
        if denied is None:
            return None
        if isinstance(denied, iam_evaluator.AuthError):  # a session that has ended since
            return str(denied.message)
        return refusal.sentence(denied.principal_arn, action, resource, denied.decision == "Deny")

    def _known(self, resolve: Any) -> Any:
        """MiniStack's search for a principal and its policies, for a user once until something of IAM changes."""
        known: dict[str, tuple[int, Any]] = {}

        def resolved(access_key_id: str, account_id: str, credential: Any = None) -> Any:
            changes, principal = known.get(access_key_id, (-1, None))
            if changes == self.changes and access_key_id == iam_evaluator._verified_key.get():
                return principal
            changes = self.changes
            principal = resolve(access_key_id, account_id, credential)
            if getattr(principal, "type", "") == "User" and access_key_id in iam._access_keys:  # no session, which ends
                known[access_key_id] = changes, principal
            return principal

        return resolved

    def _noted(self, change: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
        """`change`, counted once it is made."""

        def noted(p: Record) -> Answer:
            answer = change(p)
            self.changes += 1
            return answer

        return noted


def _at_its_path(assumed: Any) -> Any:
    """AssumeRole of a role that has this ARN: MiniStack looks for its name alone."""

    def assumed_role_arn(role_arn: str, session_name: str) -> tuple[str | None, Answer | None]:
        found, refused = assumed(role_arn, session_name)
        if refused is None and _role(role_arn) is None:
            message = f"User: is not authorized to perform: sts:AssumeRole on resource: {role_arn}"  # as MiniStack says
            return None, iam._error(403, "AccessDenied", message, ns="sts")
        return found, refused

    return assumed_role_arn


def _role(arn: str) -> Record | None:
    """The role that has this ARN, its path included."""
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    role: Record | None = iam._roles.get_scoped(account, None, name)
    return role if role and role["Arn"] == arn else None


def _tags_of(role: Record | None) -> Record:
    """What conditions and variables ask of a role that acts."""
    tags = (role or {}).get("Tags") or []
    return {f"aws:principaltag/{each['Key'].lower()}": each["Value"] for each in tags}


def _unlimited(resolve: Any) -> Any:
    """MiniStack's search for a principal, who may do everything."""

    def resolved(*arguments: Any) -> Any:
        principal = resolve(*arguments)
        known = not isinstance(principal, iam_evaluator.AuthError)
        return dataclasses.replace(principal, policies=None) if known else principal

    return resolved
