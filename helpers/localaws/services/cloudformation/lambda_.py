"""Lambda's resources in CloudFormation: what Lambda's API refuses of them fails their stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html. MiniStack writes them past the
API, and leaves out what it does not know.
"""

import base64
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from ...data_plane.pool import Pool
from ..contract import Contract
from ..lambda_ import api, model
from ..shapes import Record
from .failure import done, failed, failure
from .readiness import Readiness

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_create_esm"): ("data",),
    (lambda_svc, "_create_function"): ("data",),
    (lambda_svc, "_delete_function"): ("name", "query_params", "path_qualifier"),
    (lambda_svc, "_esms"): None,
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_function_qualifier_exists"): ("func", "qualifier"),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_put_function_concurrency"): ("func_name", "data"),
    (lambda_svc, "_update_esm"): ("esm_id", "data"),
    (provisioners, "_RESOURCE_HANDLERS"): None,
    (provisioners, "_lambda_create"): ("logical_id", "props", "stack_name"),
    (provisioners, "_lambda_esm_attrs"): ("esm_id",),
    (provisioners, "_lambda_esm_create"): ("logical_id", "props", "stack_name"),
    (provisioners, "_lambda_function_for_cfn_ref"): ("function_ref",),
    (provisioners, "_physical_name"): ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
    (provisioners, "_zip_inline"): ("source", "handler", "runtime"),
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
SERVICE = "Lambda"
STACK_TAGS = "aws:cloudformation:"  # which a stack gives to its resources, and nobody else may


def install(pool: Pool, replies: dict[str, list[api.Reply]]) -> None:
    """Let stacks make what the API makes, after its `replies`, to run in `pool`. Call once, before it serves."""
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

    version, alias = handlers["AWS::Lambda::Version"], handlers["AWS::Lambda::Alias"]
    version["delete"] = delete_version
    readiness = Readiness(pool)
    readiness.install(version, readiness.version)
    readiness.install(alias, readiness.alias)


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
