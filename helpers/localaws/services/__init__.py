"""What we put right in MiniStack, one module for each AWS service or feature; `install` puts all in their places."""

from ..data_plane.pool import Pool
from . import (
    apigateway,
    cloudwatch_metrics,
    contract,
    eventbridge,
    lambda_asynchronous_invocation,
    lambda_event_source_mapping_sqs,
    lambda_function_url,
    lambda_functions,
    lambda_invoke,
    lambda_quotas,
    lambda_recursive_loops,
    scheduler,
    sqs,
)
from .rds import Databases


def install(pool: Pool, databases: Databases, endpoint: str) -> None:
    """Let MiniStack run functions in `pool` and DB instances in `databases`; its schedules may call `endpoint`.

    Call once, before it serves. Raises contract.ContractError, before anything is changed, unless MiniStack is as it
    was when the services were written.
    """
    contract.verify()
    for module in (
        cloudwatch_metrics,
        lambda_asynchronous_invocation,
        lambda_event_source_mapping_sqs,
        lambda_recursive_loops,
        lambda_quotas,
        lambda_function_url,
        sqs,
        eventbridge,
        apigateway,
    ):
        module.install()
    scheduler.install(endpoint)
    lambda_functions.install(pool)
    lambda_invoke.install(pool)
    databases.install()
