"""How AWS says that somebody may not do something: who, which action, on what, and whose policy is the reason.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import contextvars
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator

from ..contract import Contract

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (iam_actions, "access_denied_response"): (
        "service",
        "action",
        "principal_arn",
        "request_id",
        "error_code",
        "message",
        "headers",
        "resource_arn",
        "explicit_deny",
        "resource_policy_arn",
    ),
    (iam_evaluator, "evaluate"): ("ctx", "policies", "limits"),
}

BOUNDARY, SESSION = "permissions boundary", "session policy"
# Services that write an action otherwise than a policy does
SPELLINGS: dict[str, Callable[[str], str]] = {"sqs": str.lower, "sns": lambda action: action.replace("sns:", "SNS:")}

# Whose limit the last refusal in this request was due to: the principal, the action and the limit
_limited: contextvars.ContextVar[tuple[str, str, str]] = contextvars.ContextVar("limited", default=("", "", ""))


def install() -> None:
    """Let MiniStack refuse in AWS's words. Call once, before it serves."""
    evaluate, answer = iam_evaluator.evaluate, iam_actions.access_denied_response

    def evaluated(context: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(context, policies, *limits)
        if limits and result.decision == "ImplicitDeny" and _allows(evaluate, context, policies):
            kinds = (SESSION,) if context.principal_type == "FederatedUser" else (BOUNDARY, SESSION)
            narrow = [kind for kind, limit in zip(kinds, limits, strict=False) if not _allows(evaluate, context, limit)]
            _limited.set((context.principal_arn, context.action, (narrow or [BOUNDARY])[0]))
        return result

    def refused(
        service: str,
        action: str,
        principal_arn: str,
        request_id: str,
        *,
        error_code: str = "",
        message: str = "",
        resource_arn: str = "*",
        explicit_deny: bool = False,
        resource_policy_arn: str = "",
        **rest: Any,
    ) -> Any:
        if not error_code and not message and not (explicit_deny and resource_policy_arn):
            *refusal, limit = _limited.get()
            by = limit if refusal == [principal_arn, action] else ""
            message = sentence(principal_arn, action, resource_arn, explicit_deny, by)
            if service == "ec2":
                message = f"You are not authorized to perform this operation. {message}"
        return answer(
            service,
            action,
            principal_arn,
            request_id,
            error_code=error_code,
            message=message,
            resource_arn=resource_arn,
            explicit_deny=explicit_deny,
            resource_policy_arn=resource_policy_arn,
            **rest,
        )

    iam_evaluator.evaluate = evaluated
    iam_actions.access_denied_response = refused


def sentence(
    principal: str, action: str, resource: str = "*", explicit_deny: bool = False, limited_by: str = ""
) -> str:
    """AWS's sentence; an action that is on no resource names none."""
    service = action.partition(":")[0]
    action = SPELLINGS.get(service, str)(action)
    quoted = f'"{resource}"' if service == "s3" else resource
    where = "" if resource == "*" else f" on resource: {quoted}"
    if explicit_deny:
        why = "with an explicit deny in an identity-based policy"
    else:
        why = f"because no {limited_by or 'identity-based policy'} allows the {action} action"
    return f"User: {principal} is not authorized to perform: {action}{where} {why}"


def _allows(evaluate: Any, context: Any, policies: Any) -> bool:
    return bool(evaluate(context, policies).decision == "Allow")
