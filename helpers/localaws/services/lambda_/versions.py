"""Versions of a function: what is published, and what is deleted of them.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html. The words are AWS's: of PublishVersion as
localstack recorded them (TestLambdaVersions, TestLambdaRevisions, November 2025), of DeleteFunction as users quote
them (https://github.com/zappa/Zappa/issues/960, https://github.com/floci-io/floci/pull/2824).
"""

import copy
import json
import re
import uuid
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from . import states
from .errors import conflict, function_not_found, invalid_parameter, stale_revision

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_check_revision"): ("current", "data"),
    (lambda_svc, "_create_function"): ("data",),
    (lambda_svc, "_delete_function"): ("name", "query_params", "path_qualifier"),
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_publish_version"): ("name", "data"),
    (lambda_svc, "_snapstart_provision_version_async"): ("name", "ver_record"),
    (lambda_svc, "_stamp_snapstart_published_version"): ("ver_config",),
    (lambda_svc, "_update_code"): ("name", "data"),
    (responses, "json_response"): ("data", "status", "content_type"),
}

LATEST = "$LATEST"
ALIAS = re.compile(r"(?!\d+$)[a-zA-Z0-9-_]+")
PUBLISHED = "published"  # of the record of a version: what the function was when it was published
# What of a configuration changes by itself: a function is unchanged if all else is as it was.
OF_EACH = {
    "FunctionArn",
    "LastModified",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RevisionId",
    "State",
    "StateReason",
    "StateReasonCode",
    "Version",
}


def install() -> None:
    """Let MiniStack publish and delete as AWS does. Call once, before it serves, and before who may is asked."""
    create, update_code, delete = lambda_svc._create_function, lambda_svc._update_code, lambda_svc._delete_function

    def create_function(data: Record) -> Answer:
        publishes = data.pop("Publish", False)
        answer: Answer = create(data)
        if answer[0] == 201 and publishes:
            version = _publish(data["FunctionName"], {})
            answer = responses.json_response({**json.loads(answer[2]), "Version": version["Version"]}, 201)
        return answer

    def update_function_code(name: str, data: Record) -> Answer:
        publishes = data.pop("Publish", False)
        answer: Answer = update_code(name, data)
        if answer[0] == 200 and publishes:
            answer = responses.json_response(_publish(name, {}), 200)
        return answer

    def delete_function(name: str, query_params: Record, path_qualifier: str | None = None) -> Answer:
        qualifier = path_qualifier or (query_params.get("Qualifier") or [None])[0]
        answer: Answer = delete(name, query_params, path_qualifier)
        if qualifier:
            _forget(lambda_svc._functions.get(name) or {}, qualifier)
        return answer

    lambda_svc._create_function = create_function
    lambda_svc._update_code = update_function_code
    lambda_svc._publish_version = publish_version
    lambda_svc._delete_function = delete_function
    lambda_svc._check_revision = _check_revision


def publish_version(name: str, data: Record) -> Answer:
    """PublishVersion: a new version, or the last one where nothing has changed since."""
    func = lambda_svc._functions.get(name)
    if func is None:
        return function_not_found(name)
    if refused := _check_revision(func["config"], data):
        return refused
    current, given = func["config"].get("CodeSha256"), data.get("CodeSha256")
    if given and given != current:
        return invalid_parameter(
            f"CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    answer: Answer = responses.json_response(_publish(name, data), 201)
    return answer


def _publish(name: str, data: Record) -> Record:
    """The configuration of the version that is published, or was where nothing has changed since."""
    func = lambda_svc._functions[name]
    last = max(func["versions"], key=int, default=None)
    if last and func["versions"][last][PUBLISHED] == _content(func["config"]):
        unchanged: Record = func["versions"][last]["config"]
        return unchanged
    number = str(func["next_version"])
    func["next_version"] += 1
    config: Record = copy.deepcopy(func["config"])
    config |= {"Version": number, "FunctionArn": f"{lambda_svc._func_arn(name)}:{number}"}
    config |= {"RevisionId": str(uuid.uuid4()), "Description": data.get("Description") or config["Description"]}
    if config.get("LastUpdateStatus") == "InProgress":  # it is there when what it is made of is
        config |= {"State": "Pending", **states.CREATING}
    func["config"]["RevisionId"] = str(uuid.uuid4())
    record = {"config": config, "code_zip": func.get("code_zip"), PUBLISHED: _content(func["config"])}
    func["versions"][number] = record
    if lambda_svc._stamp_snapstart_published_version(config):
        lambda_svc._snapstart_provision_version_async(name, record)
    return config


def _content(config: Record) -> dict[str, Any]:
    return {name: copy.deepcopy(value) for name, value in config.items() if name not in OF_EACH}


def _check_revision(current: Record, data: Record) -> Answer | None:
    if not data.get("RevisionId") or data["RevisionId"] == current.get("RevisionId"):
        return None
    return stale_revision("GetFunction/GetAlias")


def undeletable(members: Record) -> Answer | None:
    """AWS's answer to the deletion of what is no version, is in use, or is not there."""
    func, qualifier = lambda_svc._functions.get(members["FunctionName"]), members.get("Qualifier")
    if qualifier == LATEST:
        return invalid_parameter("$LATEST version cannot be deleted without deleting the function.")
    if qualifier and ALIAS.fullmatch(qualifier):
        return invalid_parameter("Deletion of aliases is not currently supported.")
    if not qualifier or func is None:
        return None
    aliases = [
        each["Name"]
        for each in func["aliases"].values()
        if qualifier
        in (each["FunctionVersion"], *(each.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {}))
    ]
    if aliases:
        return conflict(f"Unable to delete version because the following aliases reference it: [{', '.join(aliases)}]")
    return None if qualifier in func["versions"] else (204, {}, b"")


def _forget(func: Record, version: str) -> None:
    """Drop what belonged to a version that is deleted, and to nothing else."""
    if not func or version in func["versions"]:
        return
    arn = f"{func['config']['FunctionArn']}:{version}"
    func["policy"]["Statement"] = [each for each in func["policy"]["Statement"] if each["Resource"] != arn]
    func["event_invoke_configs"].pop(version, None)
