"""Lambda's resources in CloudFormation: what Lambda's API refuses of them fails their stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html. MiniStack writes them past the
API, and leaves out what it does not know.
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners, stacks

from ..contract import Contract
from ..lambda_ import api, model
from ..shapes import Record
from .failure import done, failed, failure

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_create_esm"): ("data",),
    (lambda_svc, "_create_function"): ("data",),
    (lambda_svc, "_delete_function"): ("name", "query_params", "path_qualifier"),
    (lambda_svc, "_esms"): None,
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_function_qualifier_exists"): ("func", "qualifier"),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_provisioned_concurrency"): ("func_name", "qualifier"),
    (lambda_svc, "_put_function_concurrency"): ("func_name", "data"),
    (lambda_svc, "_put_provisioned_concurrency"): ("func_name", "qualifier", "data"),
    (lambda_svc, "_update_esm"): ("esm_id", "data"),
    (provisioners, "_RESOURCE_HANDLERS"): None,
    (provisioners, "_lambda_create"): ("logical_id", "props", "stack_name"),
    (provisioners, "_lambda_esm_attrs"): ("esm_id",),
    (provisioners, "_lambda_esm_create"): ("logical_id", "props", "stack_name"),
    (provisioners, "_lambda_function_for_cfn_ref"): ("function_ref",),
    (provisioners, "_physical_name"): ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
    (provisioners, "_zip_inline"): ("source", "handler", "runtime"),
    (stacks, "_runs_on_worker_thread"): ("resource_type",),
}

# Resources that MiniStack makes by the API, but for what the API refuses first: the operation of each.
CHECKED = {
    "Alias": "CreateAlias",
    "EventInvokeConfig": "PutFunctionEventInvokeConfig",
    "LayerVersion": "PublishLayerVersion",
    "Permission": "AddPermission",
    "Url": "CreateFunctionUrlConfig",
    "Version": "PublishVersion",
}
OF_ANOTHER = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp")  # of a mapping that replaces one
SLOW = ("AWS::Lambda::Version", "AWS::Lambda::Alias")  # they wait for snapshots and for provisioned environments
PROVISIONED = "ProvisionedConcurrencyConfig"
ASK_AGAIN_S = 0.05
SERVICE = "Lambda"
STACK_TAGS = "aws:cloudformation:"  # which a stack gives to its resources, and nobody else may


def install(replies: dict[str, list[api.Reply]]) -> None:
    """Let stacks make what the API makes, after its `replies`. Call once, before it serves."""
    handlers = provisioners._RESOURCE_HANDLERS
    function, mapping = (handlers[f"AWS::Lambda::{name}"] for name in ("Function", "EventSourceMapping"))
    change, change_mapping = function["update"], mapping["update"]

    def refuse(operation: str, members: Record) -> None:
        own = {key: value for key, value in (members.get("Tags") or {}).items() if not key.startswith(STACK_TAGS)}
        if refused := api.refusal(operation, {**members, "Tags": own}, replies.get(operation, ())):
            raise failed(refused, SERVICE)

    def create(logical_id: str, props: Record, stack_name: str) -> tuple[str, Record]:
        members = _of_function(logical_id, props, stack_name)
        name = members["FunctionName"]
        refuse("CreateFunction", members)
        done(lambda_svc._create_function(members), SERVICE)
        if (reserved := props.get("ReservedConcurrentExecutions")) is not None:
            wanted = {"ReservedConcurrentExecutions": int(reserved)}
            try:
                refuse("PutFunctionConcurrency", {"FunctionName": name, **wanted})
                done(lambda_svc._put_function_concurrency(name, wanted), SERVICE)
            except ValueError:
                del lambda_svc._functions[name]
                raise
        return name, {"Arn": lambda_svc._func_arn(name)}

    def update(
        physical_id: str, old_props: Record, new_props: Record, stack_name: str, logical_id: str | None = None
    ) -> tuple[str, Record]:
        refuse("CreateFunction", _of_function(logical_id or physical_id, new_props, stack_name))
        updated: tuple[str, Record] = change(physical_id, old_props, new_props, stack_name, logical_id=logical_id)
        return updated

    def create_mapping(logical_id: str, props: Record, stack_name: str) -> tuple[str, Record]:
        members = _members("CreateEventSourceMapping", props)
        refuse("CreateEventSourceMapping", members)
        return _settled(done(lambda_svc._create_esm(members), SERVICE)["UUID"])

    def update_mapping(physical_id: str, old_props: Record, new_props: Record, stack_name: str) -> tuple[str, Record]:
        is_another = any(new_props.get(name) != old_props.get(name) for name in OF_ANOTHER)
        if is_another or physical_id not in lambda_svc._esms:
            changed: tuple[str, Record] = change_mapping(physical_id, old_props, new_props, stack_name)
            return changed
        members = {**_members("UpdateEventSourceMapping", new_props), "UUID": physical_id}
        refuse("UpdateEventSourceMapping", members)
        return _settled(done(lambda_svc._update_esm(physical_id, members), SERVICE)["UUID"])

    def checked(operation: str, make: Callable[..., tuple[str, Record]]) -> Callable[..., tuple[str, Record]]:
        def create_checked(logical_id: str, props: Record, stack_name: str) -> tuple[str, Record]:
            members = _of_other(operation, props, stack_name)
            if "FunctionName" in members:
                _find(members["FunctionName"], members.get("FunctionVersion") or members.get("Qualifier"))
            refuse(operation, members)
            return make(logical_id, props, stack_name)

        return create_checked

    def checked_update(operation: str, update: Callable[..., tuple[str, Record]]) -> Callable[..., tuple[str, Record]]:
        def update_checked(physical_id: str, old: Record, new: Record, stack: str, *more: Any) -> tuple[str, Record]:
            refuse(operation, _of_other(operation, new, stack))
            return update(physical_id, old, new, stack, *more)

        return update_checked

    provisioners._lambda_create = function["create"] = create
    function["update"] = update
    provisioners._lambda_esm_create = mapping["create"] = create_mapping
    mapping["update"] = update_mapping
    for name, operation in CHECKED.items():
        handler = handlers[f"AWS::Lambda::{name}"]
        handler["create"] = checked(operation, handler["create"])
        if "update" in handler:
            handler["update"] = checked_update(operation, handler["update"])

    def delete_version(physical_id: str, props: Record) -> None:
        func, name, _, _ = provisioners._lambda_function_for_cfn_ref(props.get("FunctionName", ""))
        version = physical_id.rpartition(":")[2]
        if func and version in func["versions"]:
            refuse("DeleteFunction", {"FunctionName": name, "Qualifier": version})
            if (answer := lambda_svc._delete_function(name, {}, version))[0] >= 400:
                raise failed(answer, SERVICE)

    def settle_version(physical_id: str, props: Record) -> None:
        _, name, _, _ = provisioners._lambda_function_for_cfn_ref(props.get("FunctionName", ""))
        version = physical_id.rpartition(":")[2]
        config = _until(lambda: _published(name, version), lambda config: config.get("State") != "Pending")
        if config.get("State") == "Failed":
            raise failure(config["StateReason"], "GeneralServiceException")
        if wanted := _typed("PutProvisionedConcurrencyConfigRequest", props.get(PROVISIONED) or {}):
            done(lambda_svc._put_provisioned_concurrency(name, version, wanted), SERVICE)
        _until_provisioned(name, version)

    def settle_alias(_physical_id: str, props: Record) -> None:
        _, name, _, _ = provisioners._lambda_function_for_cfn_ref(props.get("FunctionName", ""))
        _until_provisioned(name, props["Name"])

    version, alias = handlers["AWS::Lambda::Version"], handlers["AWS::Lambda::Alias"]
    version["delete"] = delete_version
    for handler, settle in ((version, settle_version), (alias, settle_alias)):
        handler["create"] = _settling(handler["create"], settle, handler["delete"])
        handler["update"] = _settling_update(handler["update"], settle)
    waits = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind in SLOW or waits(kind)


def _settling(
    create: Callable[..., tuple[str, Record]], settle: Callable[[str, Record], None], delete: Callable[..., None]
) -> Callable[..., tuple[str, Record]]:
    """`create`, which waits until what it has made can be used; where that never can, it is deleted again."""

    def created(logical_id: str, props: Record, stack_name: str) -> tuple[str, Record]:
        made = create(logical_id, props, stack_name)
        try:
            settle(made[0], props)
        except ValueError:
            delete(made[0], props)
            raise
        return made

    return created


def _settling_update(
    update: Callable[..., tuple[str, Record]], settle: Callable[[str, Record], None]
) -> Callable[..., tuple[str, Record]]:
    def updated(physical_id: str, old: Record, new: Record, *more: Any, **named: Any) -> tuple[str, Record]:
        made = update(physical_id, old, new, *more, **named)
        settle(made[0], new)
        return made

    return updated


def _published(name: str, version: str) -> Record:
    """The configuration of a version; nothing of one that is deleted meanwhile."""
    func = lambda_svc._functions.get(name) or {}
    config: Record = func.get("versions", {}).get(version, {}).get("config", {})
    return config


def _until_provisioned(name: str, qualifier: str) -> None:
    """Wait until all environments that are provisioned are there; raises what fails a stack where they never are."""

    def told() -> Record:
        status, _, body = lambda_svc._get_provisioned_concurrency(name, qualifier)
        config: Record = json.loads(body) if status < 400 else {}  # there are none
        return config

    config = _until(told, lambda config: config.get("Status") != "IN_PROGRESS")
    if config.get("Status") == "FAILED":
        raise failure(config["StatusReason"], "GeneralServiceException")


def _until(ask: Callable[[], Record], is_settled: Callable[[Record], bool]) -> Record:
    """Ask until that is so, in a thread of a stack's own. An init has an end of itself."""
    while not is_settled(answer := ask()):
        time.sleep(ASK_AGAIN_S)
    return answer


def _settled(identifier: str) -> tuple[str, Record]:
    """A mapping that a stack has made or changed: it waits until that can be used."""
    made = lambda_svc._esms[identifier]
    made["State"] = "Enabled" if made["Enabled"] else "Disabled"
    return identifier, provisioners._lambda_esm_attrs(identifier)


def _of_function(logical_id: str, props: Record, stack_name: str) -> Record:
    """The members of CreateFunction that a resource asks for."""
    members = _members("CreateFunction", props)
    members.setdefault("FunctionName", provisioners._physical_name(stack_name, logical_id, max_len=64))
    code = dict(members.get("Code") or {})
    if source := code.get("ZipFile"):  # the text of one file
        packed = provisioners._zip_inline(source, members.get("Handler", ""), members.get("Runtime", ""))
        code["ZipFile"] = base64.b64encode(packed).decode()
    return {**members, "Code": code}


def _of_other(operation: str, props: Record, stack_name: str) -> Record:
    """The members of another operation that a resource asks for, without those that have another form in a template."""
    members = _members(operation, {name: value for name, value in props.items() if name != "RoutingConfig"})
    if "TargetFunctionArn" in props:
        members |= {"FunctionName": props["TargetFunctionArn"]}
    if operation == "AddPermission":
        members |= {"StatementId": "of-a-stack"}  # it makes one
    if operation == "PublishLayerVersion":
        members.setdefault("LayerName", stack_name)
    return members


def _find(reference: str, qualifier: str | None) -> None:
    """Raise what fails a stack where there is no function, or no version or alias of it."""
    func, name, _, own = provisioners._lambda_function_for_cfn_ref(reference)
    wanted = own or qualifier
    if not lambda_svc._function_qualifier_exists(func, wanted):
        arn = lambda_svc._func_arn(name) + (f":{wanted}" if func and wanted else "")
        raise failure(f"Function not found: {arn}", "NotFound")


def _members(operation: str, props: Record) -> Record:
    """The properties of a resource that an operation takes, as its model has them."""
    return dict(_typed(model.named(operation).operation.input, props))


def _typed(name: str, value: Any) -> Any:
    """A value of a template, in which numbers may be text and tags are a list, as a shape of the model has it."""
    shape = model.shape(name)
    kind = shape["type"]
    if kind == "structure" and isinstance(value, dict):
        known = {member: each["shape"] for member, each in shape["members"].items() if value.get(member) is not None}
        return {member: _typed(element, value[member]) for member, element in known.items()}
    if kind == "list" and isinstance(value, list):
        return [_typed(shape["member"]["shape"], each) for each in value]
    if name == "Tags" and isinstance(value, list):
        return {each["Key"]: str(each["Value"]) for each in value}
    if kind == "map" and isinstance(value, dict):
        return {key: _typed(shape["value"]["shape"], each) for key, each in value.items()}
    if kind in ("integer", "long") and isinstance(value, str) and value.lstrip("-").isdecimal():
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind == "string" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
