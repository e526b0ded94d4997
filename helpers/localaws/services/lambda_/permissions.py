"""Permissions of a function, its versions and aliases: statements of their resource policies, each with its revision.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html. The words are AWS's, as localstack
recorded them in November 2025 (TestLambdaPermissions).
"""

import json
import re
import uuid

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..iam.trust_policy import SERVICE
from ..shapes import Answer, Record
from .errors import conflict, invalid_parameter, not_found, stale_revision

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_function_qualifier_exists"): ("func", "qualifier"),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_policy"): ("func_name", "query_params", "path_qualifier"),
    (lambda_svc, "_add_permission"): ("func_name", "data", "query_params", "path_qualifier"),
    (lambda_svc, "_remove_permission"): ("func_name", "sid", "query_params", "path_qualifier"),
    (responses, "json_response"): ("data", "status", "content_type"),
}

REVISIONS = "policy_revisions"  # of a function's record: by version or alias, or "" for the function
LATEST = "$LATEST"
PRINCIPAL = re.compile(
    rf"\*|\d{{12}}|{SERVICE.pattern}|"
    r"arn:aws[a-zA-Z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/.+)"
)


def install() -> None:
    """Let MiniStack keep revisions of policies, and name principals as AWS does. Call once, before it serves."""
    add, get = lambda_svc._add_permission, lambda_svc._get_policy

    def add_permission(
        func_name: str, data: Record, query_params: Record | None = None, path_qualifier: str | None = None
    ) -> Answer:
        sid, principal = data.get("StatementId") or str(uuid.uuid4()), data.get("Principal", "")
        qualifier = _qualifier(query_params, path_qualifier)
        if sid in [each["Sid"] for each in _statements(func_name, qualifier)]:
            message = f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
            return conflict(f"{message}the existing statement.")
        root = f"arn:aws:iam::{principal}:root" if re.fullmatch(r"\d{12}", principal) else principal
        # MiniStack takes an id once for a function and all its versions
        unique = {**data, "StatementId": str(uuid.uuid4()), "Principal": root}
        answer: Answer = add(func_name, unique, query_params, path_qualifier)
        if answer[0] == 201:
            statement = lambda_svc._functions[func_name]["policy"]["Statement"][-1]
            statement["Sid"] = sid
            if SERVICE.fullmatch(principal):  # MiniStack knows no service of amazon.com
                statement["Principal"] = {"Service": principal}
            _revise(func_name, qualifier)
            answer = responses.json_response({"Statement": json.dumps(statement)}, 201)
        return answer

    def get_policy(func_name: str, query_params: Record | None = None, path_qualifier: str | None = None) -> Answer:
        qualifier = _qualifier(query_params, path_qualifier)
        func = lambda_svc._functions.get(func_name)
        if not lambda_svc._function_qualifier_exists(func, qualifier or None):
            answer: Answer = get(func_name, query_params, path_qualifier)
            return answer
        statements = _statements(func_name, qualifier)
        if not statements:
            return not_found("The resource you requested does not exist.")
        revision = func.setdefault(REVISIONS, {}).setdefault(qualifier, str(uuid.uuid4()))
        policy = json.dumps({**func["policy"], "Statement": statements})
        answer = responses.json_response({"Policy": policy, "RevisionId": revision}, 200)
        return answer

    lambda_svc._add_permission = add_permission
    lambda_svc._remove_permission = _remove_permission
    lambda_svc._get_policy = get_policy


def unaddable(members: Record) -> Answer | None:
    """AWS's refusal of a permission: for $LATEST, for nobody, or after a change that the caller has not seen."""
    if members.get("Qualifier") == LATEST:
        return invalid_parameter("We currently do not support adding policies for $LATEST.")
    if not PRINCIPAL.fullmatch(members["Principal"]):
        return invalid_parameter("The provided principal was invalid. Please check the principal and try again.")
    return stale(members)


def stale(members: Record) -> Answer | None:
    """AWS's refusal of a change to a policy that is another one than the caller has seen."""
    func, given = lambda_svc._functions.get(members["FunctionName"]), members.get("RevisionId")
    if func is None or not given:
        return None
    qualifier = _without_latest(members.get("Qualifier"))
    if given == func.get(REVISIONS, {}).get(qualifier):
        return None
    return stale_revision("GetPolicy")


def _qualifier(query_params: Record | None, path_qualifier: str | None) -> str:
    return _without_latest(path_qualifier or ((query_params or {}).get("Qualifier") or [None])[0])


def _without_latest(qualifier: str | None) -> str:
    return "" if qualifier in (None, LATEST) else str(qualifier)


def _statements(name: str, qualifier: str) -> list[Record]:
    """The statements about a function, or about one of its versions or aliases."""
    func, arn = lambda_svc._functions.get(name), _arn(name, qualifier)
    return [each for each in func["policy"]["Statement"] if each["Resource"] == arn] if func else []


def _arn(name: str, qualifier: str) -> str:
    return f"{lambda_svc._func_arn(name)}{':' if qualifier else ''}{qualifier}"


def _remove_permission(func_name: str, sid: str, query_params: Record, path_qualifier: str | None = None) -> Answer:
    qualifier = _qualifier(query_params, path_qualifier)
    func, statements = lambda_svc._functions.get(func_name), _statements(func_name, qualifier)
    if func is None:
        return not_found(f"No policy found for: {lambda_svc._func_arn(func_name)}")
    if not statements:
        return not_found("No policy is associated with the given resource.")
    if sid not in [each["Sid"] for each in statements]:
        return not_found(f"Statement {sid} is not found in resource policy.")
    policy, gone = func["policy"], (sid, _arn(func_name, qualifier))
    policy["Statement"] = [each for each in policy["Statement"] if (each["Sid"], each["Resource"]) != gone]
    _revise(func_name, qualifier)
    return 204, {}, b""


def _revise(name: str, qualifier: str) -> None:
    lambda_svc._functions[name].setdefault(REVISIONS, {})[qualifier] = str(uuid.uuid4())
