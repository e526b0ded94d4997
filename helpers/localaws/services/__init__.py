"""What we put right in MiniStack, one module for each AWS service or feature; `install` puts all in their places."""

import functools

from ..access_key import AccessKey
from ..data_plane.pool import Pool
from . import (
    apigateway,
    apigateway_rest,
    cloudformation_events,
    cloudformation_lambda,
    cloudwatch_logs_arrivals,
    cloudwatch_logs_describe,
    cloudwatch_logs_groups,
    cloudwatch_logs_pages,
    cloudwatch_logs_put,
    cloudwatch_metrics,
    contract,
    dynamodb_streams,
    eventbridge,
    json_requests,
    lambda_absent,
    lambda_alias,
    lambda_api,
    lambda_asynchronous_invocation,
    lambda_code_location,
    lambda_configuration,
    lambda_deployment_package,
    lambda_event_invoke_config,
    lambda_event_source_mapping,
    lambda_event_source_mapping_dynamodb,
    lambda_event_source_mapping_sqs,
    lambda_function_code,
    lambda_function_url,
    lambda_function_url_config,
    lambda_functions,
    lambda_invoke,
    lambda_layers,
    lambda_permissions,
    lambda_quotas,
    lambda_recursive_loops,
    lambda_reserved_concurrency,
    lambda_response_streaming,
    lambda_snapstart,
    lambda_states,
    lambda_tags,
    lambda_tenant_isolation,
    lambda_versions,
    not_served,
    s3_notifications,
    scheduler,
    sqs,
)
from .cloudwatch_logs import Logs
from .cloudwatch_logs_insights import Queries
from .cloudwatch_logs_metric_filters import MetricFilters
from .cloudwatch_logs_subscription_filters import SubscriptionFilters
from .iam import authentication, ways
from .iam.evaluation import Iam
from .iam.service_roles import ServiceRoles
from .iam.unjudged import Unjudged
from .lambda_execution_role import ExecutionRoles
from .lambda_provisioned_concurrency import ProvisionedConcurrency
from .lambda_resource_policy import ResourcePolicies
from .rds import Databases


def install(
    pool: Pool,
    databases: Databases,
    logs: Logs,
    endpoint: str,
    key: AccessKey,
    iam: Iam,
    execution_roles: ExecutionRoles,
) -> None:
    """Let MiniStack run functions in `pool`, DB instances in `databases`, and keep logs in `logs`.

    Its schedules may call `endpoint`. The learner has this access `key`.

    Call once, before it serves. Raises contract.ContractError, before anything is changed, unless MiniStack is as it
    was when the services were written.
    """
    contract.verify()
    for module in (
        authentication,
        cloudwatch_logs_describe,
        cloudwatch_logs_groups,
        cloudwatch_logs_pages,
        json_requests,
        not_served,
        ways,
        cloudwatch_metrics,
        lambda_recursive_loops,
        lambda_quotas,
        lambda_deployment_package,
        lambda_function_url,
        lambda_function_url_config,
        lambda_response_streaming,
        lambda_alias,
        sqs,
        dynamodb_streams,
        s3_notifications,
        eventbridge,
        apigateway,
        apigateway_rest,
    ):
        module.install()
    logs.install()
    cloudwatch_logs_put.install(logs)
    Queries(iam).install()
    policies = ResourcePolicies(iam)
    metric_filters, subscription_filters = MetricFilters(), SubscriptionFilters(policies)
    metric_filters.install()
    subscription_filters.install()
    cloudwatch_logs_arrivals.install(logs, metric_filters, subscription_filters)
    lambda_asynchronous_invocation.install(execution_roles)
    lambda_event_source_mapping.install(execution_roles)
    lambda_event_source_mapping_dynamodb.install(execution_roles)
    lambda_event_source_mapping_sqs.install(execution_roles)
    lambda_code_location.install(endpoint)
    scheduler.install(endpoint)
    lambda_functions.install(pool)
    lambda_states.install()
    lambda_configuration.install()
    lambda_versions.install()
    lambda_layers.install()
    lambda_permissions.install()
    lambda_event_invoke_config.install()
    provisioned = ProvisionedConcurrency(pool)
    provisioned.install()
    lambda_invoke.install(pool, provisioned)
    lambda_snapstart.install(pool)
    lambda_tenant_isolation.install()
    databases.install()
    iam.install(key)
    execution_roles.install()
    policies.install()
    ServiceRoles(iam).install()
    Unjudged(iam).install()
    lambda_api.install(REPLIES, SHAPINGS)
    cloudformation_lambda.install(REPLIES)
    cloudformation_events.install()


# What is said to requests to Lambda before MiniStack has them, one after another, and what makes its answers AWS's.
REPLIES: dict[str, list[lambda_api.Reply]] = {
    "AddPermission": [lambda_permissions.unaddable],
    "CreateFunction": [
        lambda_absent.asked,
        lambda_tags.of_new,
        lambda_tenant_isolation.of_new,
        lambda_function_code.created,
    ],
    "DeleteFunction": [lambda_versions.undeletable],
    "GetFunctionCodeSigningConfig": [lambda_absent.code_signing],
    "GetRuntimeManagementConfig": [lambda_absent.runtime_management],
    "Invoke": [lambda_tenant_isolation.of_invocation, lambda_states.not_ready],
    "InvokeWithResponseStream": [lambda_tenant_isolation.of_invocation, lambda_states.not_ready],
    "ListTags": [lambda_tags.unknown],
    "PublishLayerVersion": [lambda_function_code.of_layer],
    "PublishVersion": [lambda_absent.asked, lambda_states.in_progress],
    "PutFunctionConcurrency": [lambda_reserved_concurrency.refusal],
    "PutRuntimeManagementConfig": [lambda_absent.runtime_management],
    "RemovePermission": [lambda_permissions.stale],
    "TagResource": [lambda_tags.unknown, lambda_tags.added],
    "UntagResource": [lambda_tags.unknown],
    "UpdateFunctionCode": [lambda_absent.asked, lambda_states.in_progress, lambda_function_code.updated],
    "UpdateFunctionConfiguration": [lambda_absent.asked, lambda_states.in_progress, lambda_tenant_isolation.of_update],
    "UpdateFunctionEventInvokeConfig": [lambda_event_invoke_config.update],
}
for operation, what in lambda_tenant_isolation.UNSUITABLE.items():
    REPLIES.setdefault(operation, []).append(functools.partial(lambda_tenant_isolation.suitable, what=what))
SHAPINGS: dict[str, lambda_api.Shaping] = {
    "CreateFunction": lambda_configuration.told,
    "GetFunction": lambda_configuration.told_function,
    "GetFunctionConfiguration": lambda_configuration.told_qualified,
    "GetLayerVersion": lambda_layers.told,
    "GetLayerVersionByArn": lambda_layers.told,
    "ListLayerVersions": lambda_layers.told_versions,
    "ListLayers": lambda_layers.told_layers,
    "PublishLayerVersion": lambda_layers.told,
    "PublishVersion": lambda_configuration.told,
    "UpdateFunctionCode": lambda_configuration.told,
    "UpdateFunctionConfiguration": lambda_configuration.told,
}
