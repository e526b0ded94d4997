"""Lambda's features, each in its place: what they say to requests, and how they are installed."""

import functools

from ...data_plane.pool import Pool
from ..remembered import Remembered
from . import (
    absent,
    alias,
    api,
    asynchronous_invocation,
    client_context,
    code_location,
    configuration,
    deployment_package,
    event_invoke_config,
    event_source_mapping,
    event_source_mapping_dynamodb,
    event_source_mapping_sqs,
    function_code,
    function_url,
    function_url_config,
    functions,
    invoke,
    invoke_async,
    layers,
    permissions,
    quotas,
    recursive_loops,
    reserved_concurrency,
    response_streaming,
    snapstart,
    states,
    tags,
    tenant_isolation,
    versions,
)
from .execution_role import ExecutionRoles
from .provisioned_concurrency import ProvisionedConcurrency
from .resource_policy import ResourcePolicies

# What is said to requests to Lambda before MiniStack has them, one after another, and what makes its answers AWS's.
REPLIES: dict[str, list[api.Reply]] = {
    "AddPermission": [permissions.unaddable],
    "CreateFunction": [absent.asked, tags.of_new, tenant_isolation.of_new, function_code.created],
    "DeleteFunction": [versions.undeletable],
    "GetFunctionCodeSigningConfig": [absent.code_signing],
    "GetRuntimeManagementConfig": [absent.runtime_management],
    "Invoke": [client_context.unreadable, tenant_isolation.of_invocation, states.not_ready],
    "InvokeAsync": [tenant_isolation.of_invocation, states.not_ready],
    "InvokeWithResponseStream": [tenant_isolation.of_invocation, states.not_ready],
    "ListTags": [tags.unknown],
    "PublishLayerVersion": [function_code.of_layer],
    "PublishVersion": [absent.asked, states.in_progress],
    "PutFunctionConcurrency": [reserved_concurrency.refusal],
    "PutRuntimeManagementConfig": [absent.runtime_management],
    "RemovePermission": [permissions.stale],
    "TagResource": [tags.unknown, tags.added],
    "UntagResource": [tags.unknown],
    "UpdateFunctionCode": [absent.asked, states.in_progress, function_code.updated],
    "UpdateFunctionConfiguration": [absent.asked, states.in_progress, tenant_isolation.of_update],
    "UpdateFunctionEventInvokeConfig": [event_invoke_config.update],
}
for operation, what in tenant_isolation.UNSUITABLE.items():
    REPLIES.setdefault(operation, []).append(functools.partial(tenant_isolation.suitable, what=what))
SHAPINGS: dict[str, api.Shaping] = {
    "CreateFunction": configuration.told,
    "GetFunction": configuration.told_function,
    "GetFunctionConfiguration": configuration.told_qualified,
    "GetLayerVersion": layers.told,
    "GetLayerVersionByArn": layers.told,
    "ListLayerVersions": layers.told_versions,
    "ListLayers": layers.told_layers,
    "PublishLayerVersion": layers.told,
    "PublishVersion": configuration.told,
    "UpdateFunctionCode": configuration.told,
    "UpdateFunctionConfiguration": configuration.told,
}


def install(pool: Pool, endpoint: str, execution_roles: ExecutionRoles, policies: ResourcePolicies) -> Remembered:
    """Let MiniStack run functions in `pool`; code can be read at `endpoint`."""
    provisioned = ProvisionedConcurrency(pool)
    for module in (
        recursive_loops,
        quotas,
        deployment_package,
        function_url,
        function_url_config,
        response_streaming,
        alias,
        invoke_async,
    ):
        module.install()
    events = asynchronous_invocation.install(execution_roles, pool)
    event_source_mapping.install(execution_roles, pool.told.tell)
    streams = event_source_mapping_dynamodb.install(execution_roles, pool)
    event_source_mapping_sqs.install(execution_roles, pool.told.tell)
    code_location.install(endpoint)
    functions.install(pool)
    settle = states.install(pool)
    for module in (configuration, versions, layers, permissions, event_invoke_config):
        module.install()
    provisioned.install()
    invoke.install(pool, provisioned)
    take_snapshots = snapstart.install(pool)
    tenant_isolation.install()
    execution_roles.install()
    policies.install()
    api.install(REPLIES, SHAPINGS)
    return Remembered(
        [events.store(), streams.store()],
        [settle, take_snapshots, provisioned.resume, events.resume, event_source_mapping.resume],
    )
