"""What we put right in MiniStack, a folder or module for each AWS service; `install` puts all in their places."""

from dataclasses import dataclass

from ..access_key import AccessKey
from ..data_plane.census import Census
from ..data_plane.pool import Pool
from . import (
    autoscaling,
    contract,
    dynamodb_streams,
    ec2,
    json_requests,
    missing_members,
    not_served,
    sns,
    sns_activity,
    sqs,
    sqs_limits,
    stores,
    unfinished,
)
from .apigateway import http_api, http_api_limits, rest_api
from .cloudformation import events as stack_events
from .cloudformation import lambda_ as stack_functions
from .cloudformation import templates
from .cloudwatch import limits as cloudwatch_limits
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
from .remembered import Remembered
from .retention import Retention
from .s3 import activity as s3_activity
from .s3 import limits as s3_limits
from .s3 import notifications
from .sqs_activity import MessageActivity
from .sqs_duplicates import Duplicates


@dataclass(frozen=True)
class Installed:
    """The services in their places: the faults that can be asked for, and what of all this is remembered."""

    faults: Faults
    remembered: Remembered


def install(
    pool: Pool,
    databases: Databases,
    logs: Logs,
    endpoint: str,
    key: AccessKey,
    iam: Iam,
    execution_roles: ExecutionRoles,
) -> Installed:
    """Let MiniStack run functions in `pool`, DB instances in `databases`, and keep logs in `logs`.

    Its schedules may call `endpoint`. The learner has this access `key`.

    Call once, before it serves. Raises contract.ContractError, before anything is changed, unless MiniStack is as it
    was when the services were written.
    """
    contract.verify()
    policies = ResourcePolicies(iam)
    for module in (
        authentication,
        json_requests,
        not_served,
        ways,
        autoscaling,
        ec2,
        metrics,
        cloudwatch_limits,
        sns,
        sqs_limits,
        missing_members,
        dynamodb_streams,
        s3_limits,
        notifications,
        lists,
        scheduler_requests,
        http_api,
        http_api_limits,
        rest_api,
        templates,
    ):
        module.install()
    fired = rules.install()
    moves = sqs.install(pool.told.tell)
    queries = _install_logs(logs, iam, policies)
    functions = lambda_features.install(pool, endpoint, execution_roles, policies)
    schedules = scheduler.install(endpoint, pool.told.tell)
    duplicates = Duplicates()
    duplicates.install()
    _tell_all(pool.told)
    databases.install()
    iam.install(key)
    ServiceRoles(iam).install()
    Unjudged(iam).install()
    stack_functions.install(pool, lambda_features.REPLIES)
    stack_events.install()
    others = [each.store() for each in (fired, moves, schedules, queries, logs, databases)]
    resume = [stores.move_queues, unfinished.end, logs.resume, queries.resume, fired.resume, schedules.resume]
    resume.append(Retention(logs).resume)
    remembered = Remembered([*others, stores.sessions()], resume) + functions
    return Installed(Faults(pool, duplicates), remembered)


def _tell_all(told: Census) -> None:
    """Let everybody hear what the services do. What runs in `pool` tells of itself."""
    messages = MessageActivity(told)
    messages.install()
    for module in (s3_activity, sns_activity, eventbridge_activity):
        module.install(told.tell, messages)


def _install_logs(logs: Logs, iam: Iam, policies: ResourcePolicies) -> Queries:
    for module in (describe, groups, pages):
        module.install()
    logs.install()
    put.install(logs)
    queries = Queries(iam)
    queries.install()
    metric_filters, subscription_filters = MetricFilters(), SubscriptionFilters(policies)
    metric_filters.install()
    subscription_filters.install()
    arrivals.install(logs, metric_filters, subscription_filters)
    return queries
