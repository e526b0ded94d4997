"""What MiniStack does without asking is done for nobody but who may do everything."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from localaws_client import ROLE, eventually, zipped

EVERYTHING = ["cloudformation:*", "states:*", "pipes:*", "apigateway:*", "events:*", "lambda:*"]
TEMPLATE = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "tested-unjudged"}}}}
STATE = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:iam:listUsers", "Parameters": {}, "End": True}
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


@pytest.fixture
def judged(clients, embedded_aws):
    """Clients of a user who may do much, and hand out any role, but who is no administrator."""
    iam, name = clients("iam"), "tested-unjudged"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": [*EVERYTHING, "iam:PassRole"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="tested", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=embedded_aws.region)
    config = Config(inject_host_prefix=False, retries={"total_max_attempts": 1})
    yield lambda service: session.client(service, endpoint_url=embedded_aws.url, config=config)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="tested")
    iam.delete_user(UserName=name)


def refused(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    assert error["Code"].startswith("AccessDenied")
    return error["Message"]


def test_a_stack_is_changed_by_an_administrator(judged, clients):
    of = {"StackName": "tested-unjudged", "TemplateBody": json.dumps(TEMPLATE)}
    assert "tested-unjudged is not authorized to perform: iam:*" in refused(judged("cloudformation").create_stack, **of)
    refused(judged("cloudformation").create_change_set, **of, ChangeSetName="tested", ChangeSetType="CREATE")
    clients("cloudformation").create_stack(**of)
    stack = lambda: clients("cloudformation").describe_stacks(StackName=of["StackName"])["Stacks"][0]  # noqa: E731
    eventually(lambda: stack()["StackStatus"] == "CREATE_COMPLETE")
    refused(judged("cloudformation").delete_stack, StackName=of["StackName"])
    assert judged("cloudformation").describe_stacks()["Stacks"]
    clients("cloudformation").delete_stack(StackName=of["StackName"])


def test_what_acts_in_a_role_unasked_is_made_by_an_administrator(judged, clients):
    refused(judged("stepfunctions").test_state, definition=json.dumps(STATE), roleArn=ROLE)
    pipe = {"Source": "arn:aws:sqs:us-east-1:000000000000:any", "Target": "arn:aws:sqs:us-east-1:000000000000:other"}
    refused(judged("pipes").create_pipe, Name="tested-unjudged", RoleArn=ROLE, **pipe)
    rest, administrators = judged("apigateway"), clients("apigateway")
    api = administrators.create_rest_api(name="tested-unjudged")
    of = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    administrators.put_method(**of, authorizationType="NONE")
    refused(rest.put_integration, **of, type="MOCK")
    administrators.put_integration(**of, type="MOCK")
    administrators.delete_rest_api(restApiId=api["id"])


def test_code_is_read_for_who_may_read_it(judged, clients, make_function):
    function, s3, bucket = (
        make_function("def handler(event, context):\n    return 1\n"),
        clients("s3"),
        "tested-unjudged",
    )
    s3.create_bucket(Bucket=bucket)
    archive = zipped({"app.py": "def handler(event, context):\n    return 2\n"})
    s3.put_object(Bucket=bucket, Key="code.zip", Body=archive)
    code = {"S3Bucket": bucket, "S3Key": "code.zip"}
    message = refused(judged("lambda").update_function_code, FunctionName=function.name, **code)
    assert "permission to GetObject for tested-unjudged/code.zip" in message
    refused(judged("lambda").publish_layer_version, LayerName="tested-unjudged", Content=code)
    made = {"Runtime": "python3.13", "Handler": "app.handler", "Role": ROLE}
    refused(judged("lambda").create_function, FunctionName="tested-unjudged", Code=code, **made)
    clients("lambda").update_function_code(FunctionName=function.name, **code)
    s3.delete_object(Bucket=bucket, Key="code.zip")
    s3.delete_bucket(Bucket=bucket)


def test_a_rule_starts_a_state_machine_in_a_role_that_may_do_so(judged, clients):
    iam, states, events = clients("iam"), clients("stepfunctions"), clients("events")
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="tested-starter", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    machine = states.create_state_machine(name="tested-unjudged", roleArn=ROLE, definition=json.dumps(MACHINE))
    arn = machine["stateMachineArn"]
    pattern = json.dumps({"source": ["tested.unjudged"]})
    events.put_rule(Name="tested-unjudged", EventPattern=pattern)

    def started(**target):
        judged("events").put_targets(Rule="tested-unjudged", Targets=[{"Id": "a", "Arn": arn, **target}])
        before = len(states.list_executions(stateMachineArn=arn)["executions"])
        events.put_events(Entries=[{"Source": "tested.unjudged", "DetailType": "any", "Detail": "{}"}])
        return len(states.list_executions(stateMachineArn=arn)["executions"]) - before

    assert not started()
    assert not started(RoleArn=role)
    statement = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": arn}
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="tested-starter", PolicyName="tested", PolicyDocument=allowed)
    assert started(RoleArn=role)
    events.remove_targets(Rule="tested-unjudged", Ids=["a"])
    events.delete_rule(Name="tested-unjudged")
    states.delete_state_machine(stateMachineArn=arn)
    iam.delete_role_policy(RoleName="tested-starter", PolicyName="tested")
    iam.delete_role(RoleName="tested-starter")
