"""Policies: what AWS refuses of a document, and what MiniStack's evaluation lacks of it.

Variables in resources and conditions, ARNs in conditions, the ARN of a role as the principal of its session, and a
Deny whose condition nobody can judge, which then denies. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies.html
"""

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import autoscaling, ec2, iam, lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (autoscaling, "_tags"): None,
    (ec2, "_tags"): None,
    (iam, "_IAM_HANDLERS"): None,
    (iam, "_error"): ("status", "code", "message", "ns"),
    (iam, "_p"): ("params", "key", "default"),
    (iam, "_roles"): None,
    (iam, "_make_aws_managed_record"): ("name", "document", "description"),
    (iam, "_aws_managed_policies"): None,
    (iam, "policy_known"): ("arn", "account_id"),
    (iam_evaluator, "_CONDITION_OPS"): None,
    (iam_evaluator, "_first_match"): ("ctx", "stmts", "effect"),
    (iam_evaluator, "_resolve_condition_key"): ("key", "ctx"),
    (iam_evaluator, "_role_name_from_assumed_arn"): ("assumed_arn",),
    (iam_evaluator, "fnmatch_iam_cs"): ("value", "pattern"),
    (iam_evaluator, "parse_policy_document"): ("doc",),
    (iam_evaluator, "validate_policy_document"): ("doc",),
    (lambda_svc, "_esms"): None,
}

RESOURCE_TAG = re.compile(r"(aws|ec2|autoscaling):resourcetag/(.+)", re.I)
VARIABLE = re.compile(r"\$\{([^},]*)(?:,\s*'([^']*)')?\}")
# ${*} is a star and no wildcard, which MiniStack cannot match: it allows nothing, and denies any character
LITERALS = {"Allow": {"*": "\0", "?": "\0", "$": "$"}, "Deny": {"*": "?", "?": "?", "$": "$"}}
OPERATOR = re.compile(r"(?:for(?:all|any)values?:)?(\w+?)(?:ifexists)?", re.I)
VERSIONS = (WITH_VARIABLES := "2012-10-17", "2008-10-17")
MEMBERS = {"Version", "Id", "Statement"}
MEMBERS_OF_STATEMENT = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
SID = re.compile("[0-9A-Za-z]*")
ACTION = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")
RESOURCE = re.compile(r"\*|arn:.+|\$\{.*", re.S)
# Characters without blanks: "IAM object quotas", IAM User Guide, reference_iam-quotas
MAX_INLINE = {"role": 10_240, "user": 2_048}
MAX_MANAGED = 6_144
# AWS's own that MiniStack lacks, with their version in November 2026:
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
MANAGED = {
    "AmazonS3FullAccess": ("v2", ["s3:*", "s3-object-lambda:*"]),
    "AmazonS3ReadOnlyAccess": (
        "v3",
        ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"],
    ),
}


def install() -> None:
    """Let MiniStack read policies as AWS does. Call once, before it serves."""
    first_match, resolve = iam_evaluator._first_match, iam_evaluator._resolve_condition_key

    def first(context: Any, statements: list[Any], effect: str) -> Any:
        return first_match(
            context, [_as_meant(each, context) if _is_odd(each) else each for each in statements], effect
        )

    def resolved(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn" and context.principal_type == "AssumedRole":
            name = iam_evaluator._role_name_from_assumed_arn(context.principal_arn)
            role = iam._roles.get_scoped(context.principal_account, None, name)
            return role["Arn"] if role else context.principal_arn
        if (tag := RESOURCE_TAG.fullmatch(key)) and context.resource_arn.split(":")[2:3] in (["ec2"], ["autoscaling"]):
            return _tag_of(context.resource_arn, *tag.groups())
        found = resolve(key, context)
        return _of_resource(key.lower(), context) if found is None else found

    for name, (version, actions) in MANAGED.items():
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        record = iam._make_aws_managed_record(name, document)
        record["DefaultVersionId"] = version
        record["Versions"] = {version: {**record["Versions"]["v1"], "VersionId": version}}
        iam._aws_managed_policies[record["Arn"]] = record
    iam_evaluator.parse_policy_document = _of_its_version(iam_evaluator.parse_policy_document)
    iam_evaluator._CONDITION_OPS |= {
        **dict.fromkeys(("arnequals", "arnlike"), _arn_like),
        **dict.fromkeys(("arnnotequals", "arnnotlike"), lambda actual, expected: not _arn_like(actual, expected)),
    }
    iam_evaluator._first_match = first
    iam_evaluator._resolve_condition_key = resolved
    iam_evaluator.validate_policy_document = malformed
    for action in ("AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy"):
        iam._IAM_HANDLERS[action] = _of_one_that_exists(iam._IAM_HANDLERS[action])
    for action, kind in {"PutRolePolicy": "role", "PutUserPolicy": "user", "CreatePolicy": ""}.items():
        iam._IAM_HANDLERS[action] = _limited(iam._IAM_HANDLERS[action], kind)


def malformed(document: str | Record) -> str | None:
    """AWS's sentence on what is wrong with a policy of a user, group or role, or None."""
    return wrong_document(document, lambda all_: wrong_statement(all_, _malformed) or _ambiguous(all_))


def wrong_document(document: str | Record, wrong: Callable[[list[Any]], str | None]) -> str | None:
    """The same of any policy; `wrong` says it of its statements."""
    try:
        policy = json.loads(document) if isinstance(document, str) else document
    except ValueError:
        return "This policy contains invalid Json"
    if not isinstance(policy, dict) or "Statement" not in policy or not policy.keys() <= MEMBERS:
        return "Syntax errors in policy."
    if policy.get("Version", WITH_VARIABLES) not in VERSIONS:
        return "Policy document must be version 2012-10-17 or greater."
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    return wrong(statements) if statements else "Syntax errors in policy."


def wrong_statement(statements: list[Any], wrong: Callable[[Any], str | None]) -> str | None:
    """What is `wrong` with the first statement of which something is."""
    return next(filter(None, map(wrong, statements)), None)


def _ambiguous(statements: list[Record]) -> str | None:
    ids = [str(each["Sid"]) for each in statements if each.get("Sid")]
    if not all(map(SID.fullmatch, ids)):
        must = "must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
        return f"Statement IDs (SID) {must}"
    return "Statement IDs (SID) in a single policy must be unique." if len(ids) > len(set(ids)) else None


def _malformed(statement: Any) -> str | None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        return "Syntax errors in policy."
    if not statement.keys() <= MEMBERS_OF_STATEMENT:
        return "Syntax errors in policy."
    if "Principal" in statement or "NotPrincipal" in statement:
        return "Policy document should not specify a principal."
    for kind, either, pattern, sentence in (
        ("actions", ("Action", "NotAction"), ACTION, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb"),
        ("resources", ("Resource", "NotResource"), RESOURCE, 'must be in ARN format or "*".'),
    ):
        named = [name for name in either if name in statement]
        if len(named) > 1:
            return "Syntax errors in policy."
        values = texts(statement[named[0]]) if named else []
        if not values:
            return f"Policy statement must contain {kind}."
        if wrong := [value for value in values if not pattern.fullmatch(value)]:
            return f"Resource {wrong[0]} {sentence}" if kind == "resources" else f"{sentence}, ec2, etc."
    conditions = statement.get("Condition") or {}
    if not isinstance(conditions, dict) or not all(map(_is_known, conditions)):
        return "Syntax errors in policy."
    return None


def _of_its_version(parse: Callable[[str | Record], list[Any]]) -> Callable[[str | Record], list[Any]]:
    """`parse`; a policy before version 2012-10-17 has no variables: ${aws:username} is what it says."""

    def parsed(doc: str | Record) -> list[Any]:
        statements = parse(doc)
        if statements and isinstance(doc, str) and json.loads(doc).get("Version") != WITH_VARIABLES:
            for each in statements:
                each.is_odd = False
        return statements

    return parsed


def _arn_like(actual: str, expected: str) -> bool:
    """Each of the six parts of an ARN is compared by itself, so that no star stands for a colon but in the last one."""
    parts = [text.split(":", 5) for text in (actual, expected)]
    if expected == "*" or len(parts[1]) < 6:
        return expected == "*"
    return len(parts[0]) == 6 and all(map(iam_evaluator.fnmatch_iam_cs, *parts))


def texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _is_known(operator: str) -> bool:
    found = OPERATOR.fullmatch(operator)
    return bool(found) and found[1].lower() in {*iam_evaluator._CONDITION_OPS, "null"}  # type: ignore[index]


def _is_odd(statement: Any) -> bool:
    """Whether a statement has variables or unknown conditions; noted at it, as it is asked for at each request."""
    odd: bool | None = getattr(statement, "is_odd", None)
    if odd is None:
        varies = "${" in f"{statement.resources}{statement.not_resources}{statement.conditions}"
        odd = statement.is_odd = varies or not all(map(_is_known, statement.conditions))
    return odd


def _as_meant(statement: Any, context: Any) -> Any:
    """A statement with its variables filled in, and without a condition that keeps it from denying unjudged."""
    if statement.effect == "Deny" and not all(map(_is_known, statement.conditions)):
        statement = dataclasses.replace(statement, conditions={})
    return dataclasses.replace(
        statement,
        resources=_filled(statement.resources, context, statement.effect),
        not_resources=_filled(statement.not_resources, context, statement.effect),
        conditions=_filled(statement.conditions, context, statement.effect),
    )


def _filled(value: Any, context: Any, effect: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, context, effect) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, context, effect) for each in value]
    return VARIABLE.sub(lambda found: _value(found, context, effect), value) if isinstance(value, str) else value


def _tag_of(resource: str, prefix: str, tag: str) -> str | None:
    """The value of a tag of an instance or an Auto Scaling group: aws:… is the same key as the service's own."""
    service, name = resource.split(":")[2], resource.rpartition("/")[2]
    if prefix.lower() not in ("aws", service):
        return None
    tags = (ec2._tags if service == "ec2" else autoscaling._tags).get(name) or []
    return next((str(each["Value"]) for each in tags if each["Key"].lower() == tag.lower()), None)


def _of_resource(key: str, context: Any) -> str | None:
    """What a condition asks of the role or the event source mapping that a request changes."""
    name = re.split("[:/]", context.resource_arn)[-1]
    if key == "iam:permissionsboundary" and context.action != "iam:CreateRole":
        return (iam._roles.get_scoped(context.principal_account, None, name) or {}).get("PermissionsBoundary")
    if key == "lambda:functionarn" and ":event-source-mapping:" in context.resource_arn:
        return (lambda_svc._esms.get(name) or {}).get("FunctionArn")
    return None


def _value(found: re.Match[str], context: Any, effect: str) -> str:
    """What a variable stands for; one that nobody knows, and has no default, matches nothing."""
    if found[1] in LITERALS[effect]:
        return LITERALS[effect][found[1]]
    value = iam_evaluator._resolve_condition_key(found[1], context)
    if value is None or isinstance(value, list):
        value = found[2] if found[2] is not None else found[0]
    return str(value)


def _of_one_that_exists(attach: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
    """`attach`, which refuses a policy that is not there."""

    def attached(p: Record) -> Answer:
        arn = iam._p(p, "PolicyArn")
        if iam.policy_known(arn):
            answer: Answer = attach(p)
        else:
            answer = iam._error(404, "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", ns="iam")
        return answer

    return attached


def _limited(put: Callable[[Record], Answer], kind: str) -> Callable[[Record], Answer]:
    """`put`, which refuses a document that is too long: of a role or user, or a managed policy."""

    def limited(p: Record) -> Answer:
        size = len(re.sub(r"\s", "", iam._p(p, "PolicyDocument", "")))
        answer: Answer
        if kind and size > MAX_INLINE[kind]:
            name = iam._p(p, f"{kind.title()}Name")
            message = f"Maximum policy size of {MAX_INLINE[kind]} bytes exceeded for {kind} {name}"
            answer = iam._error(409, "LimitExceeded", message, ns="iam")
        elif not kind and size > MAX_MANAGED:
            message = f"Cannot exceed quota for PolicySize: {MAX_MANAGED}"
            answer = iam._error(409, "LimitExceeded", message, ns="iam")
        else:
            answer = put(p)
        return answer

    return limited
