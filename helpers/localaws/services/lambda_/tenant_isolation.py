"""Tenant isolation: a caller names a tenant, and no execution environment serves two of them.

https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html. It is chosen when a function is made, and goes with
neither function URLs, event sources, provisioned concurrency nor SnapStart; so AWS says, and not in which words it
refuses them: these are ours. AWS's limit of 2,500 environments with a tenant for each 1,000 of concurrency is not kept.
"""

from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import invalid_parameter

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_resolve_request_scoped_name"): ("name_or_arn",),
    (lambda_svc, "_update_config"): ("name", "data"),
}

# The first is AWS's: https://aws.amazon.com/blogs/compute/building-multi-tenant-saas-applications-with-aws-lambdas-new-
# tenant-isolation-mode (November 2025). The second is ours.
WITHOUT_TENANT = (
    "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again."
)
WITH_TENANT = (
    "The invoked function is not enabled with tenancy configuration. Leave the tenant ID out of your request and try "
    "again."
)
# Operations that give a function what does not go with tenants
UNSUITABLE = {
    "CreateEventSourceMapping": "an event source mapping",
    "CreateFunctionUrlConfig": "a function URL",
    "PutProvisionedConcurrencyConfig": "provisioned concurrency",
}


def install() -> None:
    """Let MiniStack's functions keep what they were made with. Call once, before it serves."""
    update = lambda_svc._update_config

    def update_config(name: str, data: Record) -> Answer:
        """AWS's operation has no such member, and ignores it."""
        answer: Answer = update(name, {member: data[member] for member in data if member != "TenancyConfig"})
        return answer

    lambda_svc._update_config = update_config


def of_invocation(members: Record) -> Answer | None:
    """The refusal of a call that names no tenant where it should, or one where it should not."""
    func, tenant_id = lambda_svc._functions.get(members["FunctionName"]), members.get("TenantId")
    if func is None or bool(tenant_id) == _is_isolated(func):
        return None
    return invalid_parameter(WITH_TENANT if tenant_id else WITHOUT_TENANT)


def of_new(members: Record) -> Answer | None:
    """The refusal of a new function that would have what does not go with tenants."""
    return _unsuitable("SnapStart") if members.get("TenancyConfig") and _has_snapstart(members) else None


def of_update(members: Record) -> Answer | None:
    """The same of one that is changed."""
    return suitable(members, "SnapStart") if _has_snapstart(members) else None


def suitable(members: Record, what: str) -> Answer | None:
    """The refusal of something that a function with tenants cannot have."""
    func = lambda_svc._functions.get(lambda_svc._resolve_request_scoped_name(members["FunctionName"]))
    return _unsuitable(what) if func and _is_isolated(func) else None


def _is_isolated(func: Record) -> bool:
    return bool(func["config"].get("TenancyConfig"))


def _has_snapstart(members: Record) -> bool:
    return (members.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions"


def _unsuitable(what: str) -> Answer:
    return invalid_parameter(f"A function with tenant isolation cannot have {what}.")
