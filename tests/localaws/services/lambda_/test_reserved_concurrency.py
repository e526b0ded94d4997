"""Reserved concurrency leaves some units, as recorded on AWS: localstack's TestLambdaReservedConcurrency, 2025."""

import pytest
from botocore.exceptions import ClientError

CODE = "def handler(event, context):\n    return 1\n"


def refused(operation, **parameters):
    with pytest.raises(ClientError) as raised:
        operation(**parameters)
    return raised.value.response["Error"]["Code"], raised.value.response["Error"]["Message"]


def test_some_units_stay_for_all_other_functions(make_function, clients):
    client, one, two = clients("lambda"), make_function(CODE), make_function(CODE)
    limit = client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    least = min(100, limit // 10)
    put = client.put_function_concurrency
    words = (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        f"its minimum value of [{least}]."
    )
    invalid = "InvalidParameterValueException"
    for number in (limit + 1, limit, limit - least + 1):
        assert refused(put, FunctionName=one.name, ReservedConcurrentExecutions=number) == (invalid, words)
    put(FunctionName=one.name, ReservedConcurrentExecutions=limit - least)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == least
    assert refused(put, FunctionName=two.name, ReservedConcurrentExecutions=1) == (invalid, words)
    put(FunctionName=one.name, ReservedConcurrentExecutions=limit - least - 1)
    put(FunctionName=two.name, ReservedConcurrentExecutions=1)


def test_a_function_that_is_not_there(clients):
    put = clients("lambda").put_function_concurrency
    code, message = refused(put, FunctionName="missing", ReservedConcurrentExecutions=1)
    assert code == "ResourceNotFoundException" and message.endswith(":function:missing:$LATEST")
