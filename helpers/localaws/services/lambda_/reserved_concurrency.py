"""Reserved concurrency: some units stay for the functions that have none reserved.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html: 100 on AWS. This machine may carry fewer in
all, and then a tenth of them. The words are AWS's, as localstack recorded them (TestLambdaReservedConcurrency, 2025).
"""

import json

from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import function_not_found, invalid_parameter

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(lambda_svc, "_functions"): None, (lambda_svc, "_get_account_settings"): ()}

UNRESERVED = 100  # that AWS keeps, of 1,000
SHARE = 10  # one in so many stays where there are less than 1,000


def refusal(members: Record) -> Answer | None:
    """AWS's refusal to reserve for a function that is not there, or more than can be spared."""
    name, number = members["FunctionName"], members["ReservedConcurrentExecutions"]
    func = lambda_svc._functions.get(name)
    if func is None:
        return function_not_found(name, "$LATEST")
    limit = json.loads(lambda_svc._get_account_settings()[2])["AccountLimit"]
    least = min(UNRESERVED, limit["ConcurrentExecutions"] // SHARE)
    unreserved = limit["UnreservedConcurrentExecutions"] + (func.get("concurrency") or 0) - number
    if unreserved >= least:
        return None
    return invalid_parameter(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        f"its minimum value of [{least}]."
    )
