"""Access activity says who did what, who was refused, and which policies roles were given; each thing once."""

import json

import pytest
from localaws_client import TestedFunction, clients_for, refused, zipped

from helpers import localaws

LEARNER = "arn:aws:iam::000000000000:user/learner"
ROLE = "arn:aws:iam::000000000000:role/noted"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
LOGS = {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}
CODE = """
import boto3

def handler(event, context):
    try:
        boto3.client("s3").list_buckets()
    except Exception as error:
        return str(error)
"""


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def did(principal, action, resource="*", allowed=True, **more):
    return {"principal": principal, "action": action, "resource": resource, "allowed": allowed, **more}


@pytest.fixture(scope="module")
def noting(tmp_path_factory, free_port):
    """An embedded AWS that notes; gives its folder and its clients."""
    home = tmp_path_factory.mktemp("noting")
    yield home, clients_for(localaws.start(home, free_port(), access_activity=True))
    localaws.stop(home)


def test_what_a_person_does_is_noted_once_until_it_is_asked_for(noting):
    home, clients = noting
    clients("sqs").list_queues()
    clients("sqs").list_queues()
    assert localaws.access_activity(home).count(did(LEARNER, "sqs:ListQueues")) == 1
    assert localaws.access_activity(home) == []
    clients("sqs").list_queues()
    assert localaws.access_activity(home) == [did(LEARNER, "sqs:ListQueues")]


def test_a_role_has_its_policies_its_calls_and_what_it_was_refused(noting):
    home, clients = noting
    iam, logs = clients("iam"), document(LOGS | {"Resource": "*"})
    iam.create_role(RoleName="noted", AssumeRolePolicyDocument=document(TRUST))
    iam.put_role_policy(RoleName="noted", PolicyName="logs", PolicyDocument=logs)
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName="noted", PolicyArn=basic)
    room = {"Timeout": 30, "MemorySize": 1024}
    code = {"Runtime": "python3.13", "Handler": "app.handler", "Code": {"ZipFile": zipped({"app.py": CODE})}}
    clients("lambda").create_function(FunctionName="noted", Role=ROLE, **code, **room)
    function = TestedFunction("noted", clients)
    function.wait()
    assert "is not authorized to perform: s3:ListAllMyBuckets" in function.invoke().payload
    activity = localaws.access_activity(home)
    session = "arn:aws:sts::000000000000:assumed-role/noted/noted"
    assert did(LEARNER, "iam:PassRole", ROLE, passed_to="lambda.amazonaws.com") in activity
    assert did(session, "s3:ListAllMyBuckets", allowed=False) in activity
    of_lambda = [each["action"] for each in activity if each.get("principal") == session and each["allowed"]]
    assert set(of_lambda) == set(LOGS["Action"])
    assert [each for each in activity if "role" in each] == [
        {"role": "noted", "policy": logs},
        {"role": "noted", "policy": basic},
    ]


def test_a_policy_that_is_refused_was_not_given(noting):
    home, clients = noting
    code, _ = refused(clients("iam").put_role_policy, RoleName="nobody", PolicyName="x", PolicyDocument=document(LOGS))
    assert code in ("NoSuchEntity", "MalformedPolicyDocument")
    assert [each for each in localaws.access_activity(home) if "role" in each] == []


def test_by_itself_nothing_is_noted(embedded_home, clients):
    clients("sqs").list_queues()
    assert localaws.access_activity(embedded_home) == []
