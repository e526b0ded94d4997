"""What the embedded AWS remembers: what a client was told is there after a stop, a kill, a suspend, a full disk."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psutil
import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, HTTPClientError
from localaws_client import (
    ROLE,
    THIS_PYTHON,
    TestedFunction,
    clients_for,
    eventually,
    processes_of,
    public_url,
    refused,
    start_server,
    zipped,
)

from helpers import localaws, settings
from helpers.localaws.saved_state.state_file import ASIDE

ECHO = "def handler(event, context):\n    print('heard', event)\n    return event\n"
TABLE = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
FILE = Path("localaws") / "state.sqlite"


class Server:
    """An embedded AWS in a folder of its own, which is started again there."""

    def __init__(self, home, port):
        self.home, self.port = home, port
        self.endpoint = start_server(home, port)
        self.clients = clients_for(self.endpoint)

    def __getitem__(self, service):
        return self.clients(service)

    def start(self, **options):
        self.endpoint = localaws.start(self.home, self.port, **settings.embedded_aws(), **options)
        self.clients = clients_for(self.endpoint)

    def kill(self):
        process = psutil.Process(self.endpoint.pid)
        process.kill()
        psutil.wait_procs([process], 10)
        eventually(lambda: localaws.is_free(self.port))

    def crash(self):
        self.kill()
        self.start()

    def restart(self):
        assert localaws.stop(self.home)
        self.start()

    def function(self, name, code=ECHO, **configuration):
        self["lambda"].create_function(
            **{
                "FunctionName": name,
                "Runtime": THIS_PYTHON,
                "Role": ROLE,
                "Handler": "app.handler",
                "Code": {"ZipFile": zipped({"app.py": code})},
                **configuration,
            }
        )
        return self.made(name)

    def made(self, name):
        function = TestedFunction(name, self.clients)
        function.wait()
        return function

    def queue(self, name, **attributes):
        return self["sqs"].create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def log(self):
        return (self.home / localaws.LOG_FILE).read_text()


def arn_of(queue_url):
    return f"arn:aws:sqs:us-east-1:000000000000:{queue_url.rpartition('/')[2]}"


@contextlib.contextmanager
def served(home, port):
    server = Server(home, port)
    try:
        yield server
        assert "cannot be saved" not in server.log()
    finally:
        localaws.stop(home)
        eventually(lambda: not processes_of(home))


@pytest.fixture
def server(tmp_path, free_port):
    with served(tmp_path / "home", free_port()) as server:
        yield server


@pytest.fixture(scope="module")
def shared(tmp_path_factory, free_port):
    with served(tmp_path_factory.mktemp("home"), free_port()) as server:
        yield server


# Each kind of thing: what makes it, and what then is to be seen of it, also by another process


def function(aws):
    aws["lambda"].create_function(
        FunctionName="kept",
        Runtime=THIS_PYTHON,
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO, "large.txt": os.urandom(50_000)})},
        Tags={"colour": "blue"},
        Environment={"Variables": {"WORD": "1"}},
    )
    return lambda: (
        aws.made("kept").invoke({"a": 1}).payload,
        aws["lambda"].get_function(FunctionName="kept")["Tags"],
        aws["lambda"].get_function_configuration(FunctionName="kept")["Environment"],
    ), ({"a": 1}, {"colour": "blue"}, {"Variables": {"WORD": "1"}})


def version(aws):
    aws.function("versioned")
    aws["lambda"].publish_version(FunctionName="versioned")
    aws["lambda"].create_alias(FunctionName="versioned", Name="live", FunctionVersion="1")
    return lambda: (
        aws["lambda"].get_alias(FunctionName="versioned", Name="live")["FunctionVersion"],
        aws.made("versioned").invoke(7, Qualifier="live").payload,
    ), ("1", 7)


def settings_of_a_function(aws):
    aws.function("set")
    client = aws["lambda"]
    client.put_function_concurrency(FunctionName="set", ReservedConcurrentExecutions=3)
    client.put_function_event_invoke_config(FunctionName="set", MaximumRetryAttempts=1)
    client.add_permission(
        FunctionName="set", StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    return lambda: (
        client_of(aws).get_function_concurrency(FunctionName="set")["ReservedConcurrentExecutions"],
        client_of(aws).get_function_event_invoke_config(FunctionName="set")["MaximumRetryAttempts"],
        json.loads(client_of(aws).get_policy(FunctionName="set")["Policy"])["Statement"][0]["Sid"],
    ), (3, 1, "s")


def client_of(aws):
    return aws["lambda"]


def layer(aws):
    content = {"ZipFile": zipped({"python/inside.py": "WORD = 'from the layer'"})}
    arn = aws["lambda"].publish_layer_version(LayerName="kept", Content=content)["LayerVersionArn"]
    code = "import inside\ndef handler(event, context):\n    return inside.WORD\n"
    aws.function("layered", code, Layers=[arn])
    return lambda: aws.made("layered").invoke().payload, "from the layer"


def url(aws):
    aws.function("addressed", "def handler(event, context):\n    return 'seen'\n")
    address = public_url(aws["lambda"], "addressed")

    def seen():
        with requests.Session() as session:
            session.trust_env = False
            return session.get(address, timeout=30).text

    return seen, "seen"


def role(aws):
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    aws["iam"].create_role(RoleName="kept", AssumeRolePolicyDocument=document)
    aws["iam"].put_role_policy(RoleName="kept", PolicyName="no", PolicyDocument=policy)
    return lambda: aws["iam"].list_role_policies(RoleName="kept")["PolicyNames"], ["no"]


def messages(aws):
    aws.queue("kept")
    for number in range(300):
        aws["sqs"].send_message(
            QueueUrl=aws["sqs"].get_queue_url(QueueName="kept")["QueueUrl"], MessageBody=str(number)
        )

    def received():
        address = aws["sqs"].get_queue_url(QueueName="kept")["QueueUrl"]
        found = set()
        while batch := aws["sqs"].receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages"):
            found |= {int(message["Body"]) for message in batch}
        return found

    return received, set(range(300))


def received_message(aws):
    address = aws.queue("seen", VisibilityTimeout="0")
    aws["sqs"].send_message(QueueUrl=address, MessageBody="m")
    aws["sqs"].receive_message(QueueUrl=address)

    def count():
        address = aws["sqs"].get_queue_url(QueueName="seen")["QueueUrl"]
        answer = aws["sqs"].receive_message(QueueUrl=address, AttributeNames=["ApproximateReceiveCount"])
        return answer["Messages"][0]["Attributes"]["ApproximateReceiveCount"]

    return count, "2"


def message_in_flight(aws):
    address = aws.queue("busy", VisibilityTimeout="600")
    aws["sqs"].send_message(QueueUrl=address, MessageBody="m")
    handle = aws["sqs"].receive_message(QueueUrl=address)["Messages"][0]["ReceiptHandle"]

    def deleted():
        assert "Messages" not in aws["sqs"].receive_message(QueueUrl=address)
        aws["sqs"].delete_message(QueueUrl=address, ReceiptHandle=handle)
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return list(aws["sqs"].get_queue_attributes(QueueUrl=address, AttributeNames=names)["Attributes"].values())

    return deleted, ["0", "0"]


def objects(aws):
    s3, large = aws["s3"], os.urandom(300_000)
    s3.create_bucket(Bucket="kept-bucket")
    s3.put_bucket_versioning(Bucket="kept-bucket", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="kept-bucket", Key="large", Body=b"first", Metadata={"a": "b"})["VersionId"]
    s3.put_object(Bucket="kept-bucket", Key="large", Body=large)

    def read():
        now = aws["s3"].get_object(Bucket="kept-bucket", Key="large")["Body"].read()
        before = aws["s3"].get_object(Bucket="kept-bucket", Key="large", VersionId=first)
        return now == large, before["Body"].read(), before["Metadata"]

    return read, (True, b"first", {"a": "b"})


def settings_of_a_bucket(aws):
    s3, rule = aws["s3"], {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"]}
    address = aws.queue("told")
    s3.create_bucket(Bucket="telling")
    s3.put_bucket_cors(Bucket="telling", CORSConfiguration={"CORSRules": [rule]})
    policy = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    aws["sqs"].set_queue_attributes(QueueUrl=address, Attributes={"Policy": document})
    wanted = {"QueueConfigurations": [{"QueueArn": arn_of(address), "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="telling", NotificationConfiguration=wanted)
    s3.put_object(Bucket="telling", Key="a", Body=b"1")

    def told():
        keys = []
        while batch := aws["sqs"].receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages"):
            bodies = [json.loads(message["Body"]) for message in batch]
            keys += [record["s3"]["object"]["key"] for body in bodies for record in body.get("Records", [])]
        aws["s3"].put_object(Bucket="telling", Key="b", Body=b"1")
        more = eventually(lambda: aws["sqs"].receive_message(QueueUrl=address).get("Messages"))
        keys.append(json.loads(more[0]["Body"])["Records"][0]["s3"]["object"]["key"])
        return keys, aws["s3"].get_bucket_cors(Bucket="telling")["CORSRules"][0]["AllowedMethods"]

    return told, (["a", "b"], ["GET"])


def items(aws):
    aws["dynamodb"].create_table(TableName="kept", **TABLE)
    for number in range(0, 500, 25):
        puts = [{"PutRequest": {"Item": {"id": {"S": str(n)}, "n": {"N": str(n)}}}} for n in range(number, number + 25)]
        aws["dynamodb"].batch_write_item(RequestItems={"kept": puts})
    aws["dynamodb"].delete_item(TableName="kept", Key={"id": {"S": "7"}})
    change = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "-1"}}}
    aws["dynamodb"].update_item(TableName="kept", Key={"id": {"S": "8"}}, **change)
    numbers = set(range(500)) - {7, 8} | {-1}
    return lambda: {int(item["n"]["N"]) for item in aws["dynamodb"].scan(TableName="kept")["Items"]}, numbers


def log_events(aws):
    now = int(time.time() * 1000)
    aws["logs"].create_log_group(logGroupName="/kept")
    aws["logs"].create_log_stream(logGroupName="/kept", logStreamName="s")
    transformation = {"metricName": "words", "metricNamespace": "kept", "metricValue": "1"}
    aws["logs"].put_metric_filter(
        logGroupName="/kept", filterName="f", filterPattern="word", metricTransformations=[transformation]
    )
    for number in range(5):
        texts = [{"timestamp": now, "message": f"word {number}.{n}"} for n in range(300)]
        aws["logs"].put_log_events(logGroupName="/kept", logStreamName="s", logEvents=texts)
    early = {"timestamp": now - 5000, "message": "before"}
    aws["logs"].put_log_events(logGroupName="/kept", logStreamName="s", logEvents=[early])

    def read():
        pages = aws["logs"].get_paginator("filter_log_events").paginate(logGroupName="/kept")
        found = [event["message"] for page in pages for event in page["events"]]
        filters = aws["logs"].describe_metric_filters(logGroupName="/kept")["metricFilters"]
        return found[0], len(found), len(set(found)), [each["filterName"] for each in filters]

    return read, ("before", 1501, 1501, ["f"])


def metrics(aws):
    cloudwatch = aws["cloudwatch"]
    cloudwatch.put_metric_data(Namespace="own", MetricData=[{"MetricName": "m", "Value": 4}])
    cloudwatch.put_metric_alarm(
        AlarmName="kept", Namespace="own", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip

    def read():
        now, times = time.time(), {"Period": 3600, "Statistics": ["Sum"]}
        found = aws["cloudwatch"].get_metric_statistics(
            Namespace="own", MetricName="m", StartTime=now - 900, EndTime=now + 60, **times
        )
        alarms = aws["cloudwatch"].describe_alarms(AlarmNames=["kept"])["MetricAlarms"]
        return sum(point["Sum"] for point in found["Datapoints"]), [each["AlarmName"] for each in alarms]

    return read, (4, ["kept"])


def rule(aws):
    address = aws.queue("ruled")
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    aws["sqs"].set_queue_attributes(QueueUrl=address, Attributes={"Policy": document})
    aws["events"].put_rule(Name="kept", EventPattern=json.dumps({"source": ["own"]}))
    aws["events"].put_targets(Rule="kept", Targets=[{"Id": "q", "Arn": arn_of(address)}])
    aws["events"].put_events(Entries=[{"Source": "own", "DetailType": "before", "Detail": "{}"}])

    def told():
        aws["events"].put_events(Entries=[{"Source": "own", "DetailType": "after", "Detail": "{}"}])
        found = aws["sqs"].receive_message(QueueUrl=address, MaxNumberOfMessages=10)["Messages"]
        return sorted(json.loads(message["Body"])["detail-type"] for message in found)

    return told, ["after", "before"]


def topic(aws):
    arn = aws["sns"].create_topic(Name="kept")["TopicArn"]
    address = aws.queue("subscribed")
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    aws["sqs"].set_queue_attributes(QueueUrl=address, Attributes={"Policy": document})
    aws["sns"].subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn_of(address))
    aws["sns"].publish(TopicArn=arn, Message="before")

    def told():
        aws["sns"].publish(TopicArn=arn, Message="after")
        found = aws["sqs"].receive_message(QueueUrl=address, MaxNumberOfMessages=10)["Messages"]
        return sorted(json.loads(message["Body"])["Message"] for message in found)

    return told, ["after", "before"]


def others(aws):
    """What few notebooks use."""
    aws["secretsmanager"].create_secret(Name="kept", SecretString="s")
    aws["ssm"].put_parameter(Name="kept", Value="p", Type="String")
    aws["scheduler"].create_schedule(
        Name="kept", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn_of("/q"), "RoleArn": ROLE},
    )  # fmt: skip
    aws["ec2"].create_launch_template(LaunchTemplateName="kept", LaunchTemplateData={"InstanceType": "t3.micro"})
    aws["apigatewayv2"].create_api(Name="kept", ProtocolType="HTTP")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    aws["stepfunctions"].create_state_machine(name="kept", definition=definition, roleArn=ROLE)
    resources = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-a-stack"}}}
    aws["cloudformation"].create_stack(StackName="kept", TemplateBody=json.dumps({"Resources": resources}))
    aws["cloudformation"].get_waiter("stack_create_complete").wait(StackName="kept", WaiterConfig={"Delay": 1})
    aws["autoscaling"].create_auto_scaling_group(
        AutoScalingGroupName="kept", MinSize=0, MaxSize=1, AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": "kept"},
    )  # fmt: skip

    def read():
        return (
            aws["secretsmanager"].get_secret_value(SecretId="kept")["SecretString"],
            aws["ssm"].get_parameter(Name="kept")["Parameter"]["Value"],
            aws["scheduler"].get_schedule(Name="kept")["ScheduleExpression"],
            [each["LaunchTemplateName"] for each in aws["ec2"].describe_launch_templates()["LaunchTemplates"]],
            [each["Name"] for each in aws["apigatewayv2"].get_apis()["Items"]],
            [each["name"] for each in aws["stepfunctions"].list_state_machines()["stateMachines"]],
            aws["cloudformation"].describe_stacks(StackName="kept")["Stacks"][0]["StackStatus"],
            aws["sqs"].get_queue_url(QueueName="of-a-stack")["QueueUrl"].rpartition("/")[2],
            [each["MaxSize"] for each in aws["autoscaling"].describe_auto_scaling_groups()["AutoScalingGroups"]],
        )

    kept = ["kept"]
    return read, ("s", "p", "rate(1 hour)", kept, kept, kept, "CREATE_COMPLETE", "of-a-stack", [1])


def mapping(aws):
    address = aws.queue("mapped")
    aws.function("mapped")
    aws["lambda"].create_event_source_mapping(EventSourceArn=arn_of(address), FunctionName="mapped")

    def run():
        aws["sqs"].send_message(QueueUrl=address, MessageBody="through the mapping")
        (kept,) = aws["lambda"].list_event_source_mappings(FunctionName="mapped")["EventSourceMappings"]
        eventually(lambda: "through the mapping" in aws.made("mapped").text())
        return kept["EventSourceArn"]

    return run, arn_of(address)


def session(aws):
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    aws["iam"].create_role(RoleName="taken", AssumeRolePolicyDocument=document)
    arn = "arn:aws:iam::000000000000:role/taken"
    given = aws["sts"].assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]

    def who():
        names = {"AccessKeyId": "aws_access_key_id", "SecretAccessKey": "aws_secret_access_key"}
        keys = {ours: given[theirs] for theirs, ours in {**names, "SessionToken": "aws_session_token"}.items()}
        sts = boto3.client("sts", region_name="us-east-1", endpoint_url=aws.endpoint.url, **keys)
        return sts.get_caller_identity()["Arn"].rpartition(":")[2]

    return who, "assumed-role/taken/me"


KINDS = (
    function,
    version,
    settings_of_a_function,
    layer,
    url,
    role,
    messages,
    received_message,
    message_in_flight,
    objects,
    settings_of_a_bucket,
    items,
    log_events,
    metrics,
    rule,
    topic,
    others,
    mapping,
    session,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_was_told_is_there_after_a_kill(shared, kind):
    look, expected = kind(shared)
    shared.crash()
    assert look() == expected


def test_everything_is_there_after_a_stop(server):
    looks = [kind(server) for kind in KINDS]
    life = server.endpoint.life
    server.restart()
    assert [look() for look, _ in looks] == [expected for _, expected in looks]
    assert server.endpoint.life == life
    assert server.endpoint.found.startswith("Found from last time: 6 functions, 1 layer, 1 event source mapping, ")


# A burst, a full disk, damage


def test_every_write_that_was_answered_in_a_burst_is_there(server):
    server["dynamodb"].create_table(TableName="burst", **TABLE)
    address, bucket = server.queue("burst"), "burst"
    server["s3"].create_bucket(Bucket=bucket)
    done: dict[str, set[str]] = {"item": set(), "message": set(), "object": set()}

    def write(worker):
        with contextlib.suppress(EndpointConnectionError, ConnectionClosedError, HTTPClientError, ClientError):
            for number in range(10_000):
                name = f"{worker}-{number}"
                server["dynamodb"].put_item(TableName="burst", Item={"id": {"S": name}})
                done["item"].add(name)
                server["sqs"].send_message(QueueUrl=address, MessageBody=name)
                done["message"].add(name)
                server["s3"].put_object(Bucket=bucket, Key=name, Body=name.encode() * 3000)
                done["object"].add(name)

    for service in ("dynamodb", "sqs", "s3"):
        server.clients(service)  # a session makes one client at a time
    with ThreadPoolExecutor(6) as threads:
        working = [threads.submit(write, worker) for worker in range(6)]
        eventually(lambda: len(done["object"]) > 60)
        server.kill()
    for each in working:
        each.result()
    server.start()
    there: set[str] = set()
    while batch := server["sqs"].receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages"):
        there |= {message["Body"] for message in batch}
    assert done["message"] <= there
    pages = server["dynamodb"].get_paginator("scan").paginate(TableName="burst")
    assert done["item"] <= {item["id"]["S"] for page in pages for item in page["Items"]}
    for name in sorted(done["object"]):
        assert server["s3"].get_object(Bucket=bucket, Key=name)["Body"].read() == name.encode() * 3000


@contextlib.contextmanager
def full_disk(server):
    """No file of the server can become larger than a file of the state is now."""
    before = resource.prlimit(server.endpoint.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.endpoint.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.endpoint.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limits of another process: Linux")
def test_on_a_full_disk_what_cannot_be_saved_is_refused_and_then_it_goes_on(server):
    address = server.queue("disk")
    server["sqs"].send_message(QueueUrl=address, MessageBody="before")
    server["s3"].create_bucket(Bucket="full-disk")
    server["dynamodb"].create_table(TableName="disk", **TABLE)
    with full_disk(server):
        code, sentence = refused(server["sqs"].send_message, QueueUrl=address, MessageBody="unsaved")
        assert sentence.startswith("The embedded AWS cannot save its state: ") and sentence.endswith(".")
        calls = {
            "InternalFailure": (server["sqs"].create_queue, {"QueueName": "refused"}),
            "InternalError": (server["s3"].put_object, {"Bucket": "full-disk", "Key": "k", "Body": b"refused"}),
            "InternalServerError": (server["dynamodb"].put_item, {"TableName": "disk", "Item": {"id": {"S": "no"}}}),
            "ServiceException": (server["lambda"].delete_layer_version, {"LayerName": "none", "VersionNumber": 1}),
            "ServiceFailure": (server["iam"].create_user, {"UserName": "refused"}),
            "InternalServiceFault": (server["cloudwatch"].delete_alarms, {"AlarmNames": ["none"]}),
        }
        for expected, (call, parameters) in calls.items():
            with pytest.raises(ClientError) as caught:
                call(**parameters)
            assert caught.value.response["Error"]["Code"] == expected
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        assert server["dynamodb"].scan(TableName="disk")["Items"] == []  # it was not even begun
    server["sqs"].send_message(QueueUrl=address, MessageBody="after")
    server.crash()
    found = server["sqs"].receive_message(QueueUrl=address, MaxNumberOfMessages=10)["Messages"]
    assert {"before", "after"} <= {message["Body"] for message in found}
    assert server["sqs"].list_queues()["QueueUrls"] == [address]


def test_a_disk_that_is_full_at_the_start_is_no_damage(server):
    server.queue("kept")
    assert localaws.stop(server.home)
    program = "import resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
    program += "from helpers.localaws.server import main\nsys.exit(main(sys.argv[1:]))\n"
    command = [sys.executable, "-c", program, "--home", str(server.home), "--port", str(server.port)]
    done = subprocess.run(command, cwd=settings.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.search(r"\.sqlite cannot be used: .*\.$", done.stderr.strip())
    server.start()
    assert server.endpoint.found == "Found from last time: 1 queue, 1 role."


def damaged(file, how):
    data = file.read_bytes()
    if how == "truncated":
        file.write_bytes(data[: len(data) // 2])
    elif how == "garbage":
        file.write_bytes(os.urandom(len(data)))
    elif how == "empty":
        file.write_bytes(b"")
    else:
        with contextlib.closing(sqlite3.connect(file)) as db, db:
            db.execute(how)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("truncated", "What it had kept cannot be read "),
        ("empty", "What it had kept cannot be read (the file is empty), so it begins empty; the old files are in "),
        (
            "garbage",
            "What it had kept cannot be read (file is not a database), so it begins empty; the old files are in ",
        ),
        ("update about set value = '99' where name = 'format'", "What it had kept is of MiniStack "),
        (
            "update about set value = 'MiniStack 9.9' where name = 'writer'",
            "What it had kept is of MiniStack 9.9, and ",
        ),
        ("update pieces set data = x'00' where store like '%_queues'", "What it had kept cannot be read (a piece of "),
        (
            "update pieces set store = 'ministack.services.none._x' where store like '%_queues'",
            "What it had kept cannot be read (there is no store ",
        ),
        (
            "update pieces set store = 'os._x' where store like '%_queues'",
            "What it had kept cannot be read (there is no store os._x)",
        ),
        ("delete from about where name = 'life'", "What it had kept cannot be read (it has no life)"),
        ("delete from blobs", "What it had kept cannot be read (a large value)"),
    ],
)
def test_what_is_damaged_or_of_another_version_is_told_and_put_aside(server, how, sentence):
    server.queue("lost")
    server["s3"].create_bucket(Bucket="lost")
    server["s3"].put_object(Bucket="lost", Key="k", Body=os.urandom(100_000))
    life = server.endpoint.life
    assert localaws.stop(server.home)
    damaged(server.home / FILE, how)
    content = (server.home / FILE).read_bytes()
    server.start()
    assert server.endpoint.found.startswith(sentence)
    assert server.endpoint.life != life
    assert not server["sqs"].list_queues().get("QueueUrls")
    server.queue("new")
    (aside,) = (server.home / "localaws").glob(f"{ASIDE}*")
    assert str(aside) in server.endpoint.found
    assert (aside / "state.sqlite").read_bytes() == content
    server.crash()
    assert server.endpoint.found == "Found from last time: 1 queue."


def test_damaged_logs_are_told_and_put_aside(server):
    server["logs"].create_log_group(logGroupName="/lost")
    assert localaws.stop(server.home)
    damaged(server.home / "localaws" / "logs.sqlite", "garbage")
    server.start()
    assert server.endpoint.found.startswith(
        "What it had kept cannot be read (file is not a database), so it begins empty"
    )
    assert server["logs"].describe_log_groups()["logGroups"] == []


def test_fresh_puts_aside_what_was_kept(server):
    server.queue("put-aside")
    life = server.endpoint.life
    assert localaws.stop(server.home)
    server.start(fresh=True)
    (aside,) = (server.home / "localaws").glob(f"{ASIDE}*")
    assert server.endpoint.found == f"It begins empty, as you asked; what it kept is in {aside}."
    assert server.endpoint.life != life and not server["sqs"].list_queues().get("QueueUrls")


def test_two_starts_at_once_are_one_server(server):
    server.queue("kept")
    server.kill()
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: localaws.start(server.home, server.port), range(2)))
    assert both[0] == both[1]
    server.start()
    assert len(server["sqs"].list_queues()["QueueUrls"]) == 1


def test_a_second_server_in_the_same_folder_is_refused(server, free_port):
    with pytest.raises(localaws.LocalAwsError, match=r"Another embedded AWS has .*; stop that one before \("):
        second(server.home, free_port())
    server.queue("still-there")


def second(home, port):
    """Start one past the door, as if the first were not known."""
    hidden = home / "hidden"
    hidden.mkdir()
    (hidden / "localaws").symlink_to(home / "localaws")
    localaws.start(hidden, port)


def test_it_goes_on_after_it_was_suspended(server):
    function, address = server.function("suspended"), server.queue("suspended")
    process = psutil.Process(server.endpoint.pid)
    for each in (process, *process.children(recursive=True)):
        each.send_signal(signal.SIGSTOP)
    sent = threading.Thread(target=server["sqs"].send_message, kwargs={"QueueUrl": address, "MessageBody": "late"})
    sent.start()
    for each in (process, *process.children(recursive=True)):
        each.send_signal(signal.SIGCONT)
    sent.join(30)
    assert function.invoke(1).payload == 1
    server.crash()
    assert server["sqs"].receive_message(QueueUrl=address)["Messages"][0]["Body"] == "late"


# What is under way


SLOW = """
import time
def handler(event, context):
    print("begun", flush=True)
    time.sleep(event["seconds"])
    print("done")
"""


def by_invoke(aws, function):
    function.invoke({"seconds": 1}, InvocationType="Event")


def by_s3(aws, function):
    function.let_in("s3")
    aws["s3"].create_bucket(Bucket="tells")
    arn = aws["lambda"].get_function_configuration(FunctionName=function.name)["FunctionArn"]
    wanted = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    aws["s3"].put_bucket_notification_configuration(Bucket="tells", NotificationConfiguration=wanted)
    aws["s3"].put_object(Bucket="tells", Key="k", Body=b"1")


def by_sns(aws, function):
    function.let_in("sns")
    topic_arn = aws["sns"].create_topic(Name="tells")["TopicArn"]
    arn = aws["lambda"].get_function_configuration(FunctionName=function.name)["FunctionArn"]
    aws["sns"].subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=arn)
    aws["sns"].publish(TopicArn=topic_arn, Message="m")


def by_a_rule(aws, function):
    function.let_in("events")
    arn = aws["lambda"].get_function_configuration(FunctionName=function.name)["FunctionArn"]
    aws["events"].put_rule(Name="tells", EventPattern=json.dumps({"source": ["own"]}))
    aws["events"].put_targets(Rule="tells", Targets=[{"Id": "f", "Arn": arn}])
    aws["events"].put_events(Entries=[{"Source": "own", "DetailType": "d", "Detail": "{}"}])


@pytest.mark.parametrize("send", [by_invoke, by_s3, by_sns, by_a_rule])
def test_an_event_that_was_accepted_before_a_kill_runs_afterwards(server, send):
    send(server, server.function("slow", SLOW.replace('event["seconds"]', "1"), Timeout=30))
    server.crash()
    eventually(lambda: "done" in server.made("slow").text())


def test_an_event_whose_function_was_ended_by_stop_runs_again_as_if_for_the_first_time(server):
    function = server.function("slow", SLOW, Timeout=30)
    server["lambda"].put_function_event_invoke_config(FunctionName="slow", MaximumRetryAttempts=0)
    function.invoke({"seconds": 3}, InvocationType="Event")
    eventually(lambda: "begun" in function.text())
    server.restart()
    eventually(lambda: "done" in server.made("slow").text())


SLOW_INIT = """
import time
time.sleep(0.3)
def handler(event, context):
    print(f"ran {event['number']};")
"""


@pytest.mark.parametrize("end", ["stop", "keeper"])
def test_events_whose_environments_begin_when_it_ends_run_afterwards(server, end):
    function = server.function("slow", SLOW_INIT, Timeout=30)
    for number in range(20):
        function.invoke({"number": number}, InvocationType="Event")
    if end == "keeper":  # with which the server ends
        process = psutil.Process(server.endpoint.pid)
        (keeper,) = (each for each in process.children() if "keeper.py" in " ".join(each.cmdline()))
        keeper.kill()
        eventually(lambda: localaws.is_free(server.port))
        eventually(lambda: localaws.alive(server.home) is None)
        server.start()
    else:
        server.restart()
    ran = lambda: set(re.findall(r"ran (\d+);", server.made("slow").text()))  # noqa: E731
    eventually(lambda: ran() == set(map(str, range(20))))
    assert "is lost" not in server.log()


def streamed(server, code, **settings):
    """A function for which the stream of a table of the same name is read."""
    created = server["dynamodb"].create_table(
        TableName="streamed", **TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    )
    function = server.function("streamed", code, Timeout=30)
    server["lambda"].create_event_source_mapping(
        EventSourceArn=created["TableDescription"]["LatestStreamArn"], FunctionName="streamed",
        StartingPosition="TRIM_HORIZON", **settings,
    )  # fmt: skip
    return function


def test_records_of_a_stream_whose_environments_begin_when_it_stops_come_afterwards(server):
    code = SLOW_INIT.replace("event['number']", "[r['dynamodb']['Keys']['id']['S'] for r in event['Records']]")
    streamed(server, code, ParallelizationFactor=10)
    for number in range(20):
        server["dynamodb"].put_item(TableName="streamed", Item={"id": {"S": f"key-{number};"}})
    eventually(lambda: server.made("streamed").streams())  # one begins
    server.restart()
    eventually(lambda: all(f"key-{number};" in server.made("streamed").text() for number in range(20)))


def test_records_of_a_stream_that_were_read_and_not_done_come_after_a_kill(server):
    code = (
        "import time\ndef handler(event, context):\n"
        "    print('begun', flush=True)\n    time.sleep(1)\n"
        "    print(*(r['dynamodb']['Keys']['id']['S'] for r in event['Records']))\n"
    )
    function = streamed(server, code, BatchSize=2)
    for name in "abcdef":
        server["dynamodb"].put_item(TableName="streamed", Item={"id": {"S": f"key-{name}"}})
    eventually(lambda: "begun" in function.text())
    eventually(lambda: saved_positions(server) > 0)
    server.crash()
    eventually(lambda: all(f"key-{name}" in server.made("streamed").text() for name in "abcdef"))


def saved_positions(server):
    """How far a stream was read, as the file has it."""
    query = "select count(*) from pieces where store = 'batches of streams'"
    copy = server.home / "copy.sqlite"
    for file in (server.home / "localaws").glob("state.sqlite*"):
        shutil.copy(file, server.home / file.name.replace("state", "copy"))
    with contextlib.closing(sqlite3.connect(copy)) as db:
        return db.execute(query).fetchone()[0]


def test_a_function_that_was_pending_becomes_active_and_a_mapping_enabled(server):
    address = server.queue("pending")
    server.function("there")
    server["lambda"].create_event_source_mapping(EventSourceArn=arn_of(address), FunctionName="there")
    server["lambda"].create_function(
        FunctionName="pending", Runtime=THIS_PYTHON, Role=ROLE, Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
    )  # fmt: skip
    server.crash()
    assert server.made("pending").invoke(3).payload == 3
    states = lambda: [m["State"] for m in server["lambda"].list_event_source_mappings()["EventSourceMappings"]]  # noqa: E731
    eventually(lambda: states() == ["Enabled"])


def test_an_address_keeps_its_port_unless_another_program_has_it(server):
    server.function("addressed", "def handler(event, context):\n    return 'seen'\n")
    address = public_url(server["lambda"], "addressed")
    server.restart()
    assert server["lambda"].get_function_url_config(FunctionName="addressed")["FunctionUrl"] == address
    assert localaws.stop(server.home)
    port = int(address.rstrip("/").rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        server.start()
        now = server["lambda"].get_function_url_config(FunctionName="addressed")["FunctionUrl"]
        assert now != address
        new = int(now.rstrip("/").rpartition(":")[2])
        sentence = f"An address at port {port} is at port {new} now, as another program has the old one."
        assert sentence in server.endpoint.found


def test_queues_are_at_the_port_at_which_it_is_started(server, free_port):
    server["sqs"].send_message(QueueUrl=server.queue("moved"), MessageBody="m")
    assert localaws.stop(server.home)
    server.port = free_port()
    server.start()
    (address,) = server["sqs"].list_queues()["QueueUrls"]
    assert f":{server.port}/" in address == server["sqs"].get_queue_url(QueueName="moved")["QueueUrl"]
    assert server["sqs"].receive_message(QueueUrl=address)["Messages"][0]["Body"] == "m"


def test_an_execution_that_was_under_way_has_failed(server):
    states = {"A": {"Type": "Wait", "Seconds": 600, "End": True}}
    definition = json.dumps({"StartAt": "A", "States": states})
    machine = server["stepfunctions"].create_state_machine(name="m", definition=definition, roleArn=ROLE)
    begun = server["stepfunctions"].start_execution(stateMachineArn=machine["stateMachineArn"])
    server.crash()
    told = server["stepfunctions"].describe_execution(executionArn=begun["executionArn"])
    assert (told["status"], told["cause"]) == ("FAILED", "The embedded AWS was stopped meanwhile.")
