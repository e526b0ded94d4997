"""What roles, users and services may do is asked of their policies, and refused in AWS's words."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError
from localaws_client import ROLE, clients_for, eventually, made_bucket, make_role, refused

from helpers import localaws
from helpers.localaws import Endpoint

LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
CALL = """
import boto3

def handler(event, context):
    client = boto3.client(event["service"], config=boto3.session.Config(s3={"addressing_style": "path"}))
    try:
        answer = getattr(client, event["call"])(**event.get("parameters", {}))
    except client.exceptions.ClientError as error:
        return error.response["Error"]
    return answer["ResponseMetadata"]["HTTPStatusCode"]
"""
ROOM = {"Timeout": 30, "MemorySize": 1024}  # for boto3
LOGS = {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [_whole(each) for each in statements]})


def _whole(statement):
    return statement if "NotResource" in statement else {"Resource": "*", **statement}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {**allow(action, resource, **more), "Effect": "Deny"}


@pytest.fixture
def role(clients):
    """Make a role that Lambda may assume, with an inline policy of these statements; gives its ARN."""
    iam, made = clients("iam"), []

    def make(*statements, trust=LAMBDA, name="tested-role"):
        made.append(name)
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        allow_more(*statements, name=name)
        return arn

    def allow_more(*statements, name="tested-role"):
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="tested", PolicyDocument=policy(*statements))

    make.now_with = allow_more
    yield make
    for name in made:
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=each)
        iam.delete_role(RoleName=name)


@pytest.fixture
def bucket(clients):
    with made_bucket(clients, "tested-policies") as name:
        clients("s3").put_object(Bucket=name, Key="a", Body=b"hello")
        yield name


@pytest.fixture
def queue(clients):
    sqs = clients("sqs")
    url = sqs.create_queue(QueueName="tested-policies")["QueueUrl"]
    yield sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def user(clients, embedded_aws: Endpoint):
    """Make a user with a policy of these statements; gives a maker of clients with its key."""
    iam = clients("iam")
    iam.create_user(UserName="tested-judged")
    key = iam.create_access_key(UserName="tested-judged")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=embedded_aws.region)

    def make(*statements):
        iam.put_user_policy(UserName="tested-judged", PolicyName="tested", PolicyDocument=policy(*statements))
        return lambda service: session.client(service, endpoint_url=embedded_aws.url)

    yield make
    for name in iam.list_user_policies(UserName="tested-judged")["PolicyNames"]:
        iam.delete_user_policy(UserName="tested-judged", PolicyName=name)
    iam.delete_access_key(UserName="tested-judged", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="tested-judged")


@pytest.fixture
def start_with_iam_off(tmp_path, free_port):
    endpoint = localaws.start(tmp_path, free_port(), iam=False)
    yield clients_for(endpoint)
    localaws.stop(tmp_path)


def get(function, bucket, key="a"):
    return function.invoke(
        {"service": "s3", "call": "get_object", "parameters": {"Bucket": bucket, "Key": key}}
    ).payload


# A function in its role


def test_a_function_may_do_what_its_role_allows_and_nothing_else(make_function, role, bucket):
    function = make_function(CALL, Role=role(LOGS), **ROOM)
    error = get(function, bucket)
    assert error["Code"] == "AccessDenied"
    assert error["Message"] == (
        f"User: arn:aws:sts::000000000000:assumed-role/tested-role/{function.name} is not authorized to perform: "
        f's3:GetObject on resource: "arn:aws:s3:::{bucket}/a" because no identity-based policy allows the '
        "s3:GetObject action"
    )
    of_role = {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/tested-role"}}
    role.now_with(LOGS, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/a", Condition=of_role))
    assert get(function, bucket) == 200
    assert get(function, bucket, "b")["Code"] == "AccessDenied"
    role.now_with(LOGS, allow("s3:Get*", f"arn:aws:s3:::{bucket}/*"), deny("s3:GetObject", f"arn:aws:s3:::{bucket}/a"))
    denied = get(function, bucket)["Message"]
    assert denied.endswith("with an explicit deny in an identity-based policy")


def test_the_right_to_send_a_message_is_the_right_to_send_many(make_function, role, queue, clients):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html: no action for a batch."""
    url = clients("sqs").get_queue_url(QueueName="tested-policies")["QueueUrl"]
    parameters = {"QueueUrl": url, "Entries": [{"Id": "1", "MessageBody": "hello"}]}
    event = {"service": "sqs", "call": "send_message_batch", "parameters": parameters}
    function = make_function(CALL, Role=role(LOGS, allow("sqs:SendMessage", queue)))
    assert function.invoke(event).payload == 200
    role.now_with(LOGS, allow("sqs:ReceiveMessage", queue))
    assert f"perform: sqs:sendmessage on resource: {queue}" in function.invoke(event).payload["Message"]


NOT_RESOURCE = {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::another/*"}
CASES = {  # by "Policy evaluation logic" and "IAM JSON policy elements", IAM User Guide
    "something else": ((allow("sqs:*"),), False),
    "another action": ((allow("s3:PutObject"),), False),
    "another resource": ((allow("s3:GetObject", "arn:aws:s3:::another/*"),), False),
    "the action in other letters": ((allow("S3:getobject"),), True),
    "the resource in other letters": ((allow("s3:GetObject", "arn:aws:s3:::TESTED-policies/*"),), False),
    "any action": ((allow("*"),), True),
    "one character": ((allow("s3:Get?bject", "arn:aws:s3:::tested-policies/?"),), True),
    "a list": (
        (allow(["s3:PutObject", "s3:GetObject"], ["arn:aws:s3:::b/*", "arn:aws:s3:::tested-policies/*"]),),
        True,
    ),
    "NotAction": (({"Effect": "Allow", "NotAction": "s3:Put*"},), True),
    "NotAction that names it": (({"Effect": "Allow", "NotAction": "s3:Get*"},), False),
    "NotResource": ((NOT_RESOURCE,), True),
    "a deny beside": ((allow("s3:*"), deny("s3:GetObject")), False),
    "a deny of others": ((allow("s3:*"), deny("s3:PutObject")), True),
    "a condition that holds": ((allow("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "false"}}),), True),
    "a condition that does not": ((allow("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "true"}}),), False),
    "a key that is not there": ((allow("s3:GetObject", Condition={"StringEquals": {"aws:Nothing": "x"}}),), False),
    "if it exists": ((allow("s3:GetObject", Condition={"StringEqualsIfExists": {"aws:Nothing": "x"}}),), True),
    "an operator that there is not": ((allow("s3:GetObject", Condition={"StringSame": {"aws:Nothing": "x"}}),), False),
    "a deny with such an operator": (
        (allow("s3:GetObject"), deny("s3:GetObject", Condition={"StringSame": {"aws:Nothing": "x"}})),
        False,
    ),
    "by address": ((allow("s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}),), True),
    "by region": ((allow("s3:GetObject", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),), True),
    "by the principal": (
        (allow("s3:GetObject", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/tested-*"}}),),
        True,
    ),
    "a variable": ((allow("s3:GetObject", "arn:aws:s3:::tested-${s3:nothing, 'policies'}/a"),), True),
    "a variable of another value": ((allow("s3:GetObject", "arn:aws:s3:::tested-policies/${aws:username}"),), False),
    "a variable that nobody knows": ((allow("s3:GetObject", "arn:aws:s3:::tested-policies/${aws:nothing}"),), False),
    "a variable in a condition": (
        (allow("s3:GetObject", Condition={"StringLike": {"aws:username": "${aws:nothing, 'tested-*'}"}}),),
        True,
    ),
    "an ARN by its parts": (
        (allow("s3:GetObject", Condition={"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:user/tested-*"}}),),
        True,
    ),
    "an ARN of too few parts": (
        (allow("s3:GetObject", Condition={"ArnLike": {"aws:PrincipalArn": "arn:*:user/tested-judged"}}),),
        False,
    ),
    "not an ARN of too few parts": (
        (allow("s3:GetObject", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:*:user/tested-judged"}}),),
        True,
    ),
    "a star that is none": ((allow("s3:GetObject", "arn:aws:s3:::tested-policies/${*}"),), False),
}


@pytest.mark.parametrize("case", CASES)
def test_policies_are_evaluated_as_aws_documents_it(user, bucket, case):
    statements, allowed = CASES[case]
    try:
        s3 = user(*statements)("s3")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "MalformedPolicyDocument" and not allowed
        return
    if allowed:
        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"hello"
    else:
        assert refused(s3.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_a_policy_of_an_older_version_has_no_variables(user, bucket, clients, version):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"""
    s3 = user(allow("s3:ListBucket"))("s3")
    document = {"Statement": [allow("s3:GetObject", "arn:aws:s3:::tested-policies/${aws:username}")]}
    clients("iam").put_user_policy(
        UserName="tested-judged",
        PolicyName="tested",
        PolicyDocument=json.dumps(document | ({"Version": version} if version else {})),
    )
    for key in ("tested-judged", "${aws:username}"):
        clients("s3").put_object(Bucket=bucket, Key=key, Body=b"hello")
    assert refused(s3.get_object, Bucket=bucket, Key="tested-judged")[0] == "AccessDenied"
    assert s3.get_object(Bucket=bucket, Key="${aws:username}")["Body"].read() == b"hello"


def test_a_batch_of_messages_is_allowed_by_the_action_for_one(user, queue, clients):
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html"""
    url = clients("sqs").get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    entries = [{"Id": "1", "MessageBody": "hello"}]
    sqs = user(allow("sqs:SendMessage", queue))("sqs")
    assert sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
    code, message = refused(user(allow("sqs:ReceiveMessage"))("sqs").send_message_batch, QueueUrl=url, Entries=entries)
    assert code == "AccessDenied" and "perform: sqs:sendmessage on" in message


def test_a_tag_says_which_instances_and_groups_a_role_may_change(user, clients):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html, …_amazonec2autoscaling"""
    ec2, autoscaling = clients("ec2"), clients("autoscaling")

    def instance(*tags):
        specification = [{"ResourceType": "instance", "Tags": [*tags]}] if tags else []
        made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=specification)
        return made["Instances"][0]["InstanceId"]

    mine, other = instance({"Key": "night", "Value": "off"}), instance()
    ec2.create_launch_template(LaunchTemplateName="tagged", LaunchTemplateData={"ImageId": "ami-12345678"})
    for name in ("tested-mine", "tested-other"):
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateName": "tagged"},
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=["us-east-1a"],
            Tags=[{"Key": "night", "Value": "off"}] if name == "tested-mine" else [],
        )
    named = "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/tested-mine"
    judged = user(
        allow("ec2:DescribeInstances"),
        allow(
            ["ec2:StopInstances", "ec2:CreateTags"],
            "arn:aws:ec2:*:*:instance/*",
            Condition={"StringEquals": {"ec2:ResourceTag/night": "off"}},
        ),
        allow("autoscaling:CreateOrUpdateTags", named),
        allow(
            "autoscaling:UpdateAutoScalingGroup", Condition={"StringEquals": {"autoscaling:ResourceTag/night": "off"}}
        ),
    )

    def call(service, name, **parameters):
        """Where it was refused, or None."""
        try:
            getattr(judged(service), name)(**parameters)
        except ClientError as error:
            return error.response["Error"]["Message"].partition("on resource: ")[2].partition(" because")[0]
        return None

    tags = [{"Key": "seen", "Value": "yes"}]
    assert call("ec2", "describe_instances", InstanceIds=[mine, other]) is None
    assert call("ec2", "create_tags", Resources=[mine], Tags=tags) is None
    assert call("ec2", "create_tags", Resources=[mine, other], Tags=tags).endswith(f":instance/{other}")
    assert call("ec2", "stop_instances", InstanceIds=[mine]) is None
    assert call("ec2", "stop_instances", InstanceIds=[mine, other]).endswith(f":instance/{other}")
    for name, works in (("tested-mine", True), ("tested-other", False)):
        of_group = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
        said = call("autoscaling", "create_or_update_tags", Tags=[of_group | each for each in tags])
        assert said is None if works else said.endswith("autoScalingGroupName/tested-other")
        said = call("autoscaling", "update_auto_scaling_group", AutoScalingGroupName=name, MinSize=0)
        assert said is None if works else said.endswith("autoScalingGroupName/tested-other")
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    ec2.terminate_instances(InstanceIds=[mine, other])
    ec2.delete_launch_template(LaunchTemplateName="tagged")


def test_a_boundary_narrows_what_a_role_may_do(make_function, role, bucket, clients):
    iam = clients("iam")
    function = make_function(CALL, Role=role(LOGS, allow("s3:*")), **ROOM)
    boundary = iam.create_policy(PolicyName="tested-boundary", PolicyDocument=policy(allow(["logs:*", "s3:Put*"])))
    iam.put_role_permissions_boundary(RoleName="tested-role", PermissionsBoundary=boundary["Policy"]["Arn"])
    try:
        message = get(function, bucket)["Message"]
        assert message.endswith("because no permissions boundary allows the s3:GetObject action")
    finally:
        iam.delete_role_permissions_boundary(RoleName="tested-role")
        iam.delete_policy(PolicyArn=boundary["Policy"]["Arn"])
    assert get(function, bucket) == 200


def test_a_variable_is_a_tag_of_the_role_when_lambda_acts_in_it(make_function, role, clients):
    groups = "arn:aws:logs:*:*:log-group:/aws/lambda/${aws:PrincipalTag/begins}-*"
    function = make_function("def handler(event, context): pass", Role=role(LOGS | {"Resource": groups}))
    function.invoke()
    assert function.logged() == []
    clients("iam").tag_role(RoleName="tested-role", Tags=[{"Key": "begins", "Value": function.name.partition("-")[0]}])
    function.invoke()
    assert len(function.reports()) == 1


def test_roles_may_be_made_with_a_boundary_alone(user, clients):
    iam, roles = clients("iam"), "arn:aws:iam::000000000000:role/tested-limited"
    boundary = iam.create_policy(PolicyName="tested-limit", PolicyDocument=policy(allow("logs:*")))["Policy"]["Arn"]
    limited = {"ArnLike": {"iam:PermissionsBoundary": "arn:aws:iam::*:policy/tested-limit"}}
    theirs = user(allow(["iam:CreateRole", "iam:PutRolePolicy"], roles, Condition=limited))("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [LAMBDA]})
    make = {"RoleName": "tested-limited", "AssumeRolePolicyDocument": trust}
    put = {"RoleName": "tested-limited", "PolicyName": "tested", "PolicyDocument": policy(allow("s3:*"))}
    assert "iam:CreateRole" in refused(theirs.create_role, **make)[1]
    theirs.create_role(**make, PermissionsBoundary=boundary)
    theirs.put_role_policy(**put)
    iam.delete_role_permissions_boundary(RoleName="tested-limited")
    assert "iam:PutRolePolicy" in refused(theirs.put_role_policy, **put)[1]
    assert "iam:CreateRole" in refused(theirs.create_role, **make)[1]
    iam.delete_role_policy(RoleName="tested-limited", PolicyName="tested")
    iam.delete_role(RoleName="tested-limited")
    iam.delete_policy(PolicyArn=boundary)


def test_a_mapping_is_known_by_its_function(make_function, user, queue, clients):
    function, actions = make_function(CALL), ["lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping"]
    arn = clients("lambda").get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]

    def of(name):
        functions = {"ArnLike": {"lambda:FunctionArn": arn.replace(function.name, name)}}
        return user(allow(actions, Condition=functions))("lambda")

    mapping = {"FunctionName": function.name, "EventSourceArn": queue}
    assert actions[0] in refused(of("another-*").create_event_source_mapping, **mapping)[1]
    made = of(f"{function.name[:4]}*").create_event_source_mapping(**mapping)["UUID"]
    assert actions[1] in refused(of("another-*").delete_event_source_mapping, UUID=made)[1]
    of(function.name).delete_event_source_mapping(UUID=made)


def test_a_policy_of_the_bucket_may_allow_and_deny_too(make_function, role, bucket, clients):
    arn, s3 = role(LOGS), clients("s3")
    function = make_function(CALL, Role=arn, **ROOM)
    objects = f"arn:aws:s3:::{bucket}/*"
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(allow("s3:GetObject", objects, Principal={"AWS": arn})))
    assert get(function, bucket) == 200
    role.now_with(LOGS, allow("s3:*"))
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(deny("s3:GetObject", objects, Principal="*")))
    assert "explicit deny in a resource-based policy" in get(function, bucket)["Message"]
    s3.delete_bucket_policy(Bucket=bucket)


CALLS = [
    ("dynamodb", "list_tables", {}, "AccessDeniedException", "dynamodb:ListTables"),
    ("events", "list_rules", {}, "AccessDeniedException", "events:ListRules"),
    ("iam", "list_roles", {}, "AccessDenied", "iam:ListRoles"),
    ("lambda", "list_functions", {}, "AccessDeniedException", "lambda:ListFunctions"),
    ("lambda", "get_account_settings", {}, "AccessDeniedException", "lambda:GetAccountSettings"),
    ("lambda", "delete_alias", {"FunctionName": "x", "Name": "y"}, "AccessDeniedException", "lambda:DeleteAlias"),
    ("logs", "describe_log_groups", {}, "AccessDeniedException", "logs:DescribeLogGroups"),
    ("s3", "list_buckets", {}, "AccessDenied", "s3:ListAllMyBuckets"),
    ("scheduler", "list_schedules", {}, "AccessDeniedException", "scheduler:ListSchedules"),
    ("secretsmanager", "list_secrets", {}, "AccessDeniedException", "secretsmanager:ListSecrets"),
    ("sns", "list_topics", {}, "AuthorizationError", "SNS:ListTopics"),
    ("sqs", "list_queues", {}, "AccessDenied", "sqs:listqueues"),
    ("stepfunctions", "list_state_machines", {}, "AccessDeniedException", "states:ListStateMachines"),
    ("ec2", "describe_instances", {}, "UnauthorizedOperation", "ec2:DescribeInstances"),
    ("cloudwatch", "list_metrics", {}, "AccessDeniedException", "cloudwatch:ListMetrics"),
]


@pytest.mark.parametrize(("service", "call", "parameters", "code", "action"), CALLS)
def test_each_service_refuses_in_its_own_words(user, service, call, parameters, code, action):
    found, message = refused(getattr(user(allow("sts:*"))(service), call), **parameters)
    assert found in (code, code.removesuffix("Exception"))
    assert f"user/tested-judged is not authorized to perform: {action}" in message
    assert message.endswith(f"because no identity-based policy allows the {action} action")


# What Lambda does in the role


def test_without_rights_for_logs_the_log_is_empty(make_function, role, clients):
    function = make_function("def handler(event, context):\n    print('said')\n", Role=role(), LoggingConfig={})
    assert "said" in function.invoke().tail  # the caller may read it all the same
    assert function.logged() == []
    role.now_with(allow(LOGS["Action"][1:], f"arn:aws:logs:*:*:log-group:/aws/lambda/{function.name}:*"))
    function.invoke()
    assert function.logged() == []  # nobody may make the group
    clients("logs").create_log_group(logGroupName=f"/aws/lambda/{function.name}")
    function.invoke()
    assert "said\n" in function.messages()


def test_a_role_is_assumed_by_its_whole_arn(role, clients):
    arn = role(trust={"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    assume = clients("sts").assume_role
    assert assume(RoleArn=arn, RoleSessionName="tested")["AssumedRoleUser"]["Arn"].endswith("/tested")
    for other in (arn.replace(":role/", ":role/another/path/"), f"{arn}-not-there"):
        assert refused(assume, RoleArn=other, RoleSessionName="tested")[0] == "AccessDenied"


def test_a_role_has_to_be_there_and_to_trust_lambda(make_function, role, clients):
    sentence = "The role defined for the function cannot be assumed by Lambda."
    other = role(trust={**LAMBDA, "Principal": {"Service": "ec2.amazonaws.com"}})
    misplaced = role(name="tested-misplaced").replace(":role/", ":role/another/path/")
    for arn in (other, "arn:aws:iam::000000000000:role/nobody-made-it", misplaced):
        with pytest.raises(ClientError, match=sentence):
            make_function(CALL, Role=arn)
    function = make_function(CALL)
    for arn in (other, "arn:aws:iam::000000000000:role/nobody-made-it"):
        found = refused(clients("lambda").update_function_configuration, FunctionName=function.name, Role=arn)
        assert found == ("InvalidParameterValueException", sentence)


def test_a_mapping_needs_the_rights_of_its_source(make_function, role, queue, clients):
    arn = role(LOGS, allow("sqs:ReceiveMessage", queue))
    function = make_function("def handler(event, context):\n    print(event['Records'][0]['body'])\n", Role=arn)
    of = {"FunctionName": function.name, "EventSourceArn": queue, "BatchSize": 1}
    code, message = refused(clients("lambda").create_event_source_mapping, **of)
    assert code == "InvalidParameterValueException"
    assert message == "The provided execution role does not have permissions to call DeleteMessage on SQS"
    rights = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queue)
    role.now_with(LOGS, rights)
    mapping = clients("lambda").create_event_source_mapping(**of)["UUID"]
    url = clients("sqs").get_queue_url(QueueName="tested-policies")["QueueUrl"]
    try:
        clients("sqs").send_message(QueueUrl=url, MessageBody="first")
        eventually(lambda: "first\n" in function.messages())
        role.now_with(LOGS)
        clients("sqs").send_message(QueueUrl=url, MessageBody="second")
        role.now_with(LOGS, rights)
        eventually(lambda: "second\n" in function.messages())
    finally:
        clients("lambda").delete_event_source_mapping(UUID=mapping)


def test_a_destination_needs_the_right_to_send(make_function, role, queue, clients):
    arn, lambda_ = role(LOGS), clients("lambda")
    function = make_function("def handler(event, context):\n    return 'done'\n", Role=arn)
    of = {"FunctionName": function.name, "DestinationConfig": {"OnSuccess": {"Destination": queue}}}
    sentence = "The provided execution role does not have permissions to call SendMessage on SQS"
    assert refused(lambda_.put_function_event_invoke_config, **of) == ("InvalidParameterValueException", sentence)
    with pytest.raises(ClientError, match=sentence):
        make_function(CALL, Role=arn, DeadLetterConfig={"TargetArn": queue})
    role.now_with(LOGS, allow("sqs:SendMessage", queue))
    lambda_.put_function_event_invoke_config(**of)
    role.now_with(LOGS)
    function.invoke({}, InvocationType="Event")
    eventually(lambda: function.metric("DestinationDeliveryFailures") == 1)


# Who invokes a function


def test_s3_has_to_be_let_in(make_function, bucket, clients):
    function = make_function("def handler(event, context):\n    print('came')\n")
    s3, lambda_ = clients("s3"), clients("lambda")
    arn = lambda_.get_function_configuration(FunctionName=function.name)["FunctionArn"]
    told = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    of = {"Bucket": bucket, "NotificationConfiguration": told}
    code, message = refused(s3.put_bucket_notification_configuration, **of)
    assert code == "InvalidArgument"
    assert message == "Unable to validate the following destination configurations"
    who = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    for wrong in ({"SourceArn": "arn:aws:s3:::another"}, {"SourceAccount": "111122223333"}):
        lambda_.add_permission(FunctionName=function.name, StatementId="s3", **who, **wrong)
        assert refused(s3.put_bucket_notification_configuration, **of)[0] == "InvalidArgument"
        lambda_.remove_permission(FunctionName=function.name, StatementId="s3")
    right = {"SourceArn": f"arn:aws:s3:::{bucket}", "SourceAccount": "000000000000"}
    lambda_.add_permission(FunctionName=function.name, StatementId="s3", **who, **right)
    s3.put_bucket_notification_configuration(**of)
    s3.put_object(Bucket=bucket, Key="b", Body=b"")
    eventually(lambda: function.metric("Invocations") == 1)
    lambda_.remove_permission(FunctionName=function.name, StatementId="s3")
    s3.put_object(Bucket=bucket, Key="c", Body=b"")
    lambda_.add_permission(FunctionName=function.name, StatementId="s3", **who, **right)
    s3.put_object(Bucket=bucket, Key="d", Body=b"")
    eventually(lambda: function.metric("Invocations") == 2)
    told["LambdaFunctionConfigurations"][0]["LambdaFunctionArn"] = arn + "-that-is-not-there"
    assert refused(s3.put_bucket_notification_configuration, **of)[0] == "InvalidArgument"
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})


def test_a_rule_that_may_not_invoke_counts_it(make_function, clients):
    function, events = make_function("def handler(event, context):\n    print('came')\n"), clients("events")
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    events.put_rule(Name=function.name, EventPattern=json.dumps({"source": ["tested.iam"]}))
    events.put_targets(Rule=function.name, Targets=[{"Id": "1", "Arn": arn}])

    def failed():
        return clients("cloudwatch").get_metric_data(
            StartTime=0,
            EndTime=4102444800,
            MetricDataQueries=[
                {
                    "Id": "failed",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/Events",
                            "MetricName": "FailedInvocations",
                            "Dimensions": [{"Name": "RuleName", "Value": function.name}],
                        },
                        "Period": 86400,
                        "Stat": "Sum",
                    },
                }
            ],
        )["MetricDataResults"][0]["Values"]

    put = {"Source": "tested.iam", "DetailType": "any", "Detail": "{}"}
    events.put_events(Entries=[put])
    eventually(lambda: failed() == [1])
    function.let_in("events")
    events.put_events(Entries=[put])
    eventually(lambda: function.metric("Invocations") == 1)
    assert failed() == [1]
    events.remove_targets(Rule=function.name, Ids=["1"])
    events.delete_rule(Name=function.name)


# Who hands out a role


def test_a_judged_user_may_hand_out_only_the_roles_that_it_may_pass(user, clients):
    lambda_rights = allow("lambda:*")
    mine = user(lambda_rights)("lambda")
    function = {"FunctionName": "tested-passed", "Runtime": "python3.13", "Handler": "a.b", "Role": ROLE}
    code, message = refused(mine.create_function, **function, Code={"ZipFile": b"x"})
    assert code == "AccessDeniedException"
    assert message == (
        "User: arn:aws:iam::000000000000:user/tested-judged is not authorized to perform: iam:PassRole on resource: "
        f"{ROLE} because no identity-based policy allows the iam:PassRole action"
    )
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    mine = user(lambda_rights, allow("iam:PassRole", ROLE, Condition=condition))("lambda")
    assert refused(mine.create_function, **function, Code={"ZipFile": b"x"})[0] != "AccessDeniedException"


def machine(arn):
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": arn}}
    return json.dumps({"StartAt": "Only", "States": {"Only": {**task, "End": True}}})


def test_a_state_machine_acts_in_its_role(make_function, role, clients):
    function = make_function("def handler(event, context):\n    return 1\n")
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    states = clients("stepfunctions")
    untrusting = role(name="tested-other")
    of = {"name": "tested-machine", "definition": machine(arn)}
    words = ("InvalidArn", "Invalid Role Arn: 'no role'")
    assert refused(states.create_state_machine, **of, roleArn="no role") == words
    code, message = refused(states.create_state_machine, **of, roleArn=untrusting)
    assert code == "AccessDeniedException"
    assert message.startswith("Neither the global service principal states.amazonaws.com, nor the regional one is")
    account = {"StringEquals": {"aws:SourceAccount": "000000000000"}}
    trust = {**LAMBDA, "Principal": {"Service": "states.amazonaws.com"}, "Condition": account}
    made = states.create_state_machine(**of, roleArn=role(trust=trust))["stateMachineArn"]

    def ended():
        execution = states.start_execution(stateMachineArn=made)["executionArn"]
        eventually(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
        return states.describe_execution(executionArn=execution)

    failed = ended()
    assert (failed["status"], failed["error"]) == ("FAILED", "Lambda.AWSLambdaException")
    assert f"is not authorized to perform: lambda:InvokeFunction on resource: {arn}" in failed["cause"]
    role.now_with(allow("lambda:InvokeFunction", arn))
    assert ended()["status"] == "SUCCEEDED"
    states.delete_state_machine(stateMachineArn=made)


def test_a_schedule_acts_in_its_role(make_function, role, clients):
    function = make_function("def handler(event, context):\n    return 1\n")
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    scheduler = clients("scheduler")
    of = {"Name": "tested-schedule", "FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 minute)"}
    code, message = refused(scheduler.create_schedule, **of, Target={"Arn": arn, "RoleArn": role(name="tested-other")})
    assert code == "ValidationException"
    assert message == "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
    trust = {**LAMBDA, "Principal": {"Service": "scheduler.amazonaws.com"}}
    clock = role(allow("lambda:InvokeFunction", arn), trust=trust)
    scheduler.create_schedule(**of, Target={"Arn": arn, "RoleArn": clock})
    scheduler.delete_schedule(Name="tested-schedule")
    at = (datetime.now(UTC) + timedelta(seconds=2)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    once = {**of, "ScheduleExpression": at, "ActionAfterCompletion": "DELETE"}
    scheduler.create_schedule(**once, Target={"Arn": arn, "RoleArn": clock})
    eventually(lambda: function.metric("Invocations") == 1)


def test_a_judged_user_may_give_a_schedule_only_a_role_that_it_may_pass(user, clients):
    of = {"Name": "tested-passed", "FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 minute)"}
    target = {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:any", "RoleArn": ROLE}
    code, message = refused(user(allow("scheduler:*"))("scheduler").create_schedule, **of, Target=target)
    assert code == "AccessDeniedException" and "iam:PassRole" in message
    user(allow(["scheduler:*", "iam:PassRole"]))("scheduler").create_schedule(**of, Target=target)
    clients("scheduler").delete_schedule(Name="tested-passed")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("no JSON", "This policy contains invalid Json"),
        ("[]", "Syntax errors in policy."),
        ("{}", "Syntax errors in policy."),
        ('{"Statement": []}', "Syntax errors in policy."),
        (policy({"Effect": "Maybe", "Action": "s3:*"}), "Syntax errors in policy."),
        (policy({"Effect": "Allow"}), "Policy statement must contain actions."),
        (policy(allow("s3:*", [])), "Policy statement must contain resources."),
        (policy(allow("GetObject")), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        (policy(allow("s3:*", "my-bucket/*")), 'Resource my-bucket/* must be in ARN format or "*".'),
        (policy(allow("s3:*", Principal="*")), "Policy document should not specify a principal."),
        (policy(allow("s3:*", Condition={"StringSame": {"a:b": "c"}})), "Syntax errors in policy."),
        (policy(allow("s3:*", Conditions={})), "Syntax errors in policy."),
        (json.dumps({"Statement": [allow("s3:*")], "Name": "mine"}), "Syntax errors in policy."),
        (
            json.dumps({"Statement": [allow("s3:*")], "Version": "2026-01-01"}),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            policy(allow("s3:*", Sid="to read")),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*",
        ),
        (
            policy(allow("s3:*", Sid="read"), deny("s3:Put*", Sid="read")),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
    ],
)
def test_a_policy_that_is_none_is_refused(role, clients, document, sentence):
    role()
    of = {"PolicyName": "tested", "PolicyDocument": document}
    assert refused(clients("iam").put_role_policy, RoleName="tested-role", **of) == (
        "MalformedPolicyDocument",
        sentence,
    )
    assert refused(clients("iam").create_policy, **of) == ("MalformedPolicyDocument", sentence)
    assert clients("iam").list_role_policies(RoleName="tested-role")["PolicyNames"] == []


def test_a_policy_has_a_longest_length(role, clients):
    role()
    long = policy(allow([f"s3:Get{number:05}" for number in range(900)]))
    found = refused(clients("iam").put_role_policy, RoleName="tested-role", PolicyName="long", PolicyDocument=long)
    assert found == ("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role tested-role")
    assert refused(clients("iam").create_policy, PolicyName="long", PolicyDocument=long)[0] == "LimitExceeded"


def test_with_iam_off_everybody_with_a_key_may_do_everything(start_with_iam_off):
    clients = start_with_iam_off
    make_role(clients("iam"))
    iam = clients("iam")
    iam.create_user(UserName="tested-free")
    key = iam.create_access_key(UserName="tested-free")["AccessKey"]
    free = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    endpoint = clients("sts").meta.endpoint_url
    assert free.client("lambda", endpoint_url=endpoint).list_functions()["Functions"] == []
    stranger = boto3.Session("AKIAAAAAAAAAAAAAAAAA", "x", region_name="us-east-1")
    assert refused(stranger.client("lambda", endpoint_url=endpoint).list_functions)[0] == "UnrecognizedClientException"
