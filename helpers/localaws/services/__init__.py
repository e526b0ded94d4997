"""What we put right in MiniStack, a folder or module for each AWS service; `install` puts all in their places."""

from ..access_key import AccessKey
from ..data_plane.census import Census
from ..data_plane.pool import Pool
from . import contract, dynamodb_streams, json_requests, not_served, sns, sns_activity, sqs
from .apigateway import http_api, rest_api
from .cloudformation import events as stack_events
from .cloudformation import lambda_ as stack_functions
from .cloudwatch import metrics
from .eventbridge import activity as eventbridge_activity
from .eventbridge import lists, rules, scheduler, scheduler_requests
from .faults import Faults
from .iam import authentication, ways
from .iam.evaluation import Iam
from .iam.service_roles import ServiceRoles
from .iam.unjudged import Unjudged
from .lambda_ import features as lambda_features
from .lambda_.execution_role import ExecutionRoles
from .lambda_.resource_policy import ResourcePolicies
from .logs import arrivals, describe, groups, pages, put
from .logs.metric_filters import MetricFilters
from .logs.queries import Queries
from .logs.store import Logs
from .logs.subscription_filters import SubscriptionFilters
from .rds.databases import Databases
from .s3 import activity as s3_activity
from .s3 import notifications
from .sqs_activity import MessageActivity
from .sqs_duplicates import Duplicates


def install(
    pool: Pool,
    databases: Databases,
    logs: Logs,
    endpoint: str,
    key: AccessKey,
    iam: Iam,
    execution_roles: ExecutionRoles,
) -> Faults:
    """Let MiniStack run functions in `pool`, DB instances in `databases`, and keep logs in `logs`.

    Its schedules may call `endpoint`. The learner has this access `key`.

    It gives the faults that can be asked for. Call once, before it serves. Raises contract.ContractError, before
    anything is changed, unless MiniStack is as it was when the services were written.
    """
    contract.verify()
    policies = ResourcePolicies(iam)
    for module in (
        authentication,
        json_requests,
        not_served,
        ways,
        metrics,
        sns,
        dynamodb_streams,
        notifications,
        rules,
        lists,
        scheduler_requests,
        http_api,
        rest_api,
    ):
        module.install()
    sqs.install(pool.told.tell)
    _install_logs(logs, iam, policies)
    lambda_features.install(pool, endpoint, execution_roles, policies)
    scheduler.install(endpoint, pool.told.tell)
    duplicates = Duplicates()
    duplicates.install()
    _tell_all(pool.told)
    databases.install()
    iam.install(key)
    ServiceRoles(iam).install()
    Unjudged(iam).install()
    stack_functions.install(lambda_features.REPLIES)
    stack_events.install()
    return Faults(pool, duplicates)


def _tell_all(told: Census) -> None:
    """Let everybody hear what the services do. What runs in `pool` tells of itself."""
    messages = MessageActivity(told)
    messages.install()
    for module in (s3_activity, sns_activity, eventbridge_activity):
        module.install(told.tell, messages)


def _install_logs(logs: Logs, iam: Iam, policies: ResourcePolicies) -> None:
    for module in (describe, groups, pages):
        module.install()
    logs.install()
    put.install(logs)
    Queries(iam).install()
    metric_filters, subscription_filters = MetricFilters(), SubscriptionFilters(policies)
    metric_filters.install()
    subscription_filters.install()
    arrivals.install(logs, metric_filters, subscription_filters)
