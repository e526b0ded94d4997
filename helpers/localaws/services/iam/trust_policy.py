"""Trust policies: what AWS refuses of the document that says who may assume a role.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html, in the words that users of AWS
report. MiniStack takes any document.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import responses
from ministack.services import iam

from ..contract import Contract
from ..refusals import unless
from ..shapes import Answer, Record
from .policy import MEMBERS_OF_STATEMENT, texts, wrong_document, wrong_statement

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (iam, "_IAM_HANDLERS"): None,
    (iam, "_error"): ("status", "code", "message", "ns"),
    (iam, "_p"): ("params", "key", "default"),
    (iam, "_roles"): None,
    (iam, "_users"): None,
    (responses, "get_account_id"): (),
}

DOCUMENTS = {"CreateRole": "AssumeRolePolicyDocument", "UpdateAssumeRolePolicy": "PolicyDocument"}
MAX_CHARACTERS = 2048  # without blanks: "IAM object quotas", IAM User Guide, reference_iam-quotas
TOO_LONG = f"Cannot exceed quota for ACLSizePerRole: {MAX_CHARACTERS}"
SYNTAX = "Syntax errors in policy."
KINDS = ("AWS", "Federated", "Service", "CanonicalUser")  # of principals
SERVICE = re.compile(r"[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|amazon\.com)")  # Alexa's are of amazon.com
OF_AWS = re.compile(
    r"\*|\d{12}|arn:aws[a-zA-Z-]*:(?:iam|sts)::(?P<account>\d{12}):"
    r"(?:root|(?P<kind>user|role)/(?:.*/)?(?P<name>[^/]+)|(?:assumed-role|federated-user)/.+)"
)
ACTION = re.compile(r"sts:(\*|[A-Za-z]+\*?)", re.I)


def install() -> None:
    """Let MiniStack refuse what AWS refuses. Call once, before it serves."""
    for action, member in DOCUMENTS.items():
        iam._IAM_HANDLERS[action] = unless(_refusal(member), iam._IAM_HANDLERS[action])


def _refusal(member: str) -> Callable[[Record], Answer | None]:
    def refusal(p: Record) -> Answer | None:
        document = iam._p(p, member, "")
        answer: Answer | None = None
        if len(re.sub(r"\s", "", document)) > MAX_CHARACTERS:
            answer = iam._error(409, "LimitExceeded", TOO_LONG, ns="iam")
        elif message := malformed(document):
            answer = iam._error(400, "MalformedPolicyDocument", message, ns="iam")
        return answer

    return refusal


def malformed(document: str) -> str | None:
    """AWS's sentence on what is wrong with a trust policy, or None."""
    return wrong_document(document, lambda statements: wrong_statement(statements, _malformed))


def _malformed(statement: Any) -> str | None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return SYNTAX
    if prohibited := next((each for each in ("Resource", "NotResource") if each in statement), None):
        return f"Has prohibited field {prohibited}"
    if not statement.keys() <= MEMBERS_OF_STATEMENT:
        return SYNTAX
    if not statement.keys() & {"Principal", "NotPrincipal"}:
        return "Missing required field Principal"
    if not statement.keys() & {"Action", "NotAction"}:
        return "Missing required field Action"
    if not all(ACTION.fullmatch(each) for each in texts(statement.get("Action", []))):
        return "AssumeRole policy may only specify STS AssumeRole actions."
    return next(_wrong_principals(statement.get("Principal", "*")), None)


def _wrong_principals(principal: Any) -> Iterator[str]:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or not principal.keys() <= {*KINDS}:
        yield SYNTAX
        return
    for kind, values in principal.items():
        for each in texts(values):
            if (kind == "Service" and not SERVICE.fullmatch(each)) or (kind == "AWS" and not _is_there(each)):
                yield f'Invalid principal in policy: "{kind.upper()}":"{each}"'


def _is_there(principal: str) -> bool:
    """Whether it can be one: of other accounts nobody here knows who is there."""
    found = OF_AWS.fullmatch(principal)
    if found is None or not found["kind"] or found["account"] != responses.get_account_id():
        return found is not None
    return found["name"] in (iam._roles if found["kind"] == "role" else iam._users)
