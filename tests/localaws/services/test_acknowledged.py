"""Which answers wait until the state is saved."""

import pytest

from helpers.localaws.services import acknowledged
from helpers.localaws.services.acknowledged import ALL, EVENTS, NOTHING


def scope(method="POST", path="/", target="", query=b"", **headers):
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    lines += [(b"x-amz-target", target.encode())] if target else []
    return {"type": "http", "method": method, "path": path, "query_string": query, "headers": lines}


INVOKE = "/2015-03-31/functions/f/invocations"


@pytest.mark.parametrize(
    "asked",
    [
        scope("GET", "/bucket/key"),
        scope("HEAD", "/bucket"),
        scope(path=INVOKE),
        scope(path=INVOKE, x_amz_invocation_type="DryRun"),
        scope(path="/2021-11-15/functions/f/response-streaming-invocations"),
        scope(target="DynamoDB_20120810.GetItem"),
        scope(target="DynamoDB_20120810.Query"),
        scope(target="Logs_20140328.StartLiveTail"),
    ],
)
def test_what_only_reads_waits_for_nothing(asked):
    assert acknowledged._only_reads(asked)


@pytest.mark.parametrize(
    "asked",
    [
        scope("PUT", "/bucket/key"),
        scope(path=INVOKE, x_amz_invocation_type="Event"),
        scope(path="/2014-11-13/functions/f/invoke-async"),
        scope(target="DynamoDB_20120810.PutItem"),
        scope(target="AmazonSQS.ReceiveMessage"),
        scope(target="Logs_20140328.StartQuery"),
        scope(target="TrentService.ListAliases"),
        scope("GET", "/", query=b"Action=SendMessage&QueueUrl=q"),
        scope(path="/"),
    ],
)
def test_what_may_change_something_is_looked_at(asked):
    assert not acknowledged._only_reads(asked)


@pytest.mark.parametrize(
    ("service", "path", "operation", "groups"),
    [
        ("lambda", INVOKE, "Invoke", {EVENTS}),
        ("lambda", "/2014-11-13/functions/f/invoke-async", "InvokeAsync", {EVENTS}),
        ("lambda", "/2015-03-31/functions", "CreateFunction", {"lambda_svc", "addresses", EVENTS}),
        ("iam", "/", "ListRoles", NOTHING),
        ("iam", "/", "CreateRole", {"iam"}),
        ("sts", "/", "AssumeRole", {"sts"}),
        ("sts", "/", "GetSessionToken", {"sts"}),
        ("sts", "/", "GetCallerIdentity", NOTHING),
        ("ec2", "/", "DescribeVpcs", {"ec2"}),
        ("ec2", "/", "RunInstances", ALL),
        ("s3", "/bucket/key", "PUT /bucket/key", {"s3"}),
        ("states", "/", "StartExecution", ALL),
        ("", "/_ministack/cfn-response/x", "PUT /_ministack/cfn-response/x", ALL),
    ],
)
def test_what_a_request_may_change(service, path, operation, groups):
    assert acknowledged._changed(service, path, operation) == groups
