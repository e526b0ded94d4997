"""No request ends in an error of ours: values of another type, numbers out of range, foreign tokens, what is not there.

A few requests for each operation of the services in use, by botocore's models. What AWS says is tested elsewhere.
"""

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config
from botocore.parsers import ResponseParserError
from localaws_client import start_server

from helpers import localaws

SERVICES = [
    "cloudwatch",
    "dynamodb",
    "dynamodbstreams",
    "events",
    "lambda",
    "logs",
    "scheduler",
    "sns",
    "sqs",
    "stepfunctions",
]
# With an address of its own for a host, a connection that stays open, or work that takes its time
SKIPPED = {"GetLogObject", "StartLiveTail", "StartSyncExecution", "TestState", "InvokeWithResponseStream"}
# What every member of a request is, one after another.
VALUES = [None, True, -1, 1.5, 10**20, "", "x", "NaN", "\0é", [], [None], ["x"], {}, {"a": None}]
# What botocore raises for values that it cannot write; what it cannot send or read is another matter.
UNWRITABLE = (TypeError, ValueError, AttributeError, KeyError, RuntimeError, botocore.exceptions.BotoCoreError)
TOKENS = ("marker", "nexttoken", "token")


@pytest.fixture(scope="module")
def client(tmp_path_factory, free_port):
    """Clients of a server of its own, in which the requests may make what they like."""
    home = tmp_path_factory.mktemp("odd")
    endpoint = start_server(home, free_port())
    session = boto3.Session(endpoint.access_key_id, endpoint.secret_access_key, region_name=endpoint.region)
    settings = Config(parameter_validation=False, retries={"total_max_attempts": 1}, proxies={})
    yield lambda service: session.client(service, endpoint_url=endpoint.url, config=settings)
    localaws.stop(home)


def sample(shape, depth=0):
    """A value that a shape allows, as far as its type says."""
    match shape.type_name:
        case "structure":
            return (
                {name: sample(shape.members[name], depth + 1) for name in shape.required_members} if depth < 5 else {}
            )
        case "list":
            return [sample(shape.member, depth + 1)] if depth < 5 else []
        case "map":
            return {"a": sample(shape.value, depth + 1)} if depth < 5 else {}
        case "string":
            return shape.enum[0] if shape.enum else "abc"
        case "boolean":
            return True
        case "blob":
            return b"abc"
    return 1


def requests_for(shape):
    """Members of requests: right ones, then each value in the place of each member, all members at once."""
    right = sample(shape)
    yield right
    for value in VALUES:
        yield dict.fromkeys(shape.members, value)
        for name in shape.required_members:
            yield {**right, name: value}
    for name in shape.members:
        if name.lower() in TOKENS:
            yield {**right, name: "foreign"}


@pytest.mark.parametrize("service", SERVICES)
def test_an_odd_request_is_refused_and_breaks_nothing(client, service):
    made, broken = client(service), []
    model = made.meta.service_model
    for operation in sorted(set(model.operation_names) - SKIPPED):
        shape = model.operation_model(operation).input_shape
        for members in requests_for(shape) if shape else ({},):
            try:
                made._make_api_call(operation, members)
            except botocore.exceptions.ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status >= 500 and status != 501:
                    broken.append((operation, members, error.response["Error"]))
            except (botocore.exceptions.HTTPClientError, ResponseParserError) as error:
                broken.append((operation, members, error))
            except UNWRITABLE:
                continue
    assert broken == []
