"""Each event in events/, which follow AWS's, has the shape of the one that the embedded AWS delivers."""

import base64
import http.client
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import localaws_client
import pytest
from localaws_client import ROLE, eventually, public_url, zipped

from helpers import settings
from helpers.events import compare_events, load_event

ECHO = "import json\n\ndef handler(event, context):\n    print(json.dumps(event))\n"

HTTP = ("routeKey", "rawPath", "rawQueryString", "isBase64Encoded", "requestContext.stage")
# Event -> the paths whose value follows from what the test sends, so that it must be the sample's.
SAME = {
    "s3-put": ("Records[0].s3.object.key", "Records[0].eventName", "Records[0].eventVersion"),
    "s3-put-several": [f"Records[{number}].s3.object.key" for number in range(3)],
    "sqs": (
        "Records[0].body",
        "Records[0].md5OfBody",
        "Records[1].body",
        "Records[1].md5OfBody",
        "Records[1].messageAttributes.shop.stringValue",
    ),
    "scheduled": ("version", "source", "detail-type", "detail", "region"),
    "eventbridge": ("version", "source", "detail-type", "detail.order", "detail.items[0].name"),
    "http-api": (*HTTP, "queryStringParameters.tag", "pathParameters.album"),
    "http-api-post": (*HTTP, "body", "headers.content-type", "headers.content-length"),
    "function-url": (*HTTP, "queryStringParameters.name", "requestContext.accountId"),
    "function-url-post": (*HTTP, "body", "headers.content-type", "headers.content-length"),
    "dynamodb-stream": (
        "Records[0].eventName",
        "Records[1].eventName",
        "Records[2].eventName",
        "Records[0].dynamodb.Keys.photo.S",
        "Records[1].dynamodb.OldImage.likes.N",
        "Records[1].dynamodb.NewImage.likes.N",
        "Records[2].dynamodb.OldImage.likes.N",
    ),
    "sns": (
        "Records[0].EventSource",
        "Records[0].EventVersion",
        "Records[0].Sns.Subject",
        "Records[0].Sns.Message",
        "Records[0].Sns.MessageAttributes.percent.Value",
    ),
}


class Source:
    """A function that logs its events, and the clients with which a test makes one come."""

    def __init__(self, function: localaws_client.TestedFunction, clients: Callable[[str], Any]) -> None:
        self.function, self.client = function, clients
        self.arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]

    def permit(self, service: str, source: str) -> None:
        self.client("lambda").add_permission(
            FunctionName=self.function.name,
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
            SourceArn=source,
        )

    def delivered(self, count: int = 1, seconds: float = 20) -> list[dict]:
        """The events of the first `count` invocations."""

        def logged() -> list[str]:
            messages = [message for message in self.function.messages() if message.startswith("{")]
            return messages[:count] if len(messages) >= count else []

        return [json.loads(message) for message in eventually(logged, seconds)]


@pytest.fixture
def source(make_function, clients) -> Source:
    return Source(make_function(ECHO), clients)


def json_types(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The path and the JSON type of a value and of all that it holds."""
    if isinstance(value, dict):
        yield path, "object"
        for key, item in value.items():
            yield from json_types(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield path, "array"
        for number, item in enumerate(value):
            yield from json_types(item, f"{path}[{number}]")
    else:
        kinds = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
        yield path, kinds[type(value)]


def check(name: str, delivered: dict) -> None:
    """The delivered event has the sample's shape, and its values where they follow from what was sent."""
    sample = load_event(name)
    assert dict(json_types(delivered)) == dict(json_types(sample))
    marks = compare_events(sample, delivered).set_index("path")["mark"]
    assert {path: marks[path] for path in SAME[name]} == dict.fromkeys(SAME[name], "same")


def test_every_event_is_compared_here():
    names = {path.stem for path in settings.EVENTS.glob("*.json")} - {"hello"}  # which no service sends
    assert set(SAME) == names


@pytest.mark.parametrize("name", ["s3-put", "s3-put-several"])
def test_s3(name, source):
    records = load_event(name)["Records"]
    s3, bucket = source.client("s3"), f"delivered-{name}"
    keys = [unquote_plus(record["s3"]["object"]["key"]) for record in records]
    s3.create_bucket(Bucket=bucket)
    source.permit("s3", f"arn:aws:s3:::{bucket}")
    notification = {"LambdaFunctionArn": source.arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [notification]}
    )
    for number, key in enumerate(keys, 1):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        source.delivered(number)  # so that the next comes after it
    # One record comes in each event, here as on AWS nearly always; AWS promises a list.
    check(name, {"Records": [record for event in source.delivered(len(keys)) for record in event["Records"]]})
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)


def test_sqs(source):
    sqs = source.client("sqs")
    url = sqs.create_queue(QueueName="delivered")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sent = sqs.send_message_batch(
        QueueUrl=url,
        Entries=[
            {
                "Id": str(number),
                "MessageBody": record["body"],
                "MessageAttributes": {
                    name: {"DataType": attribute["dataType"], "StringValue": attribute["stringValue"]}
                    for name, attribute in record["messageAttributes"].items()
                },
            }
            for number, record in enumerate(load_event("sqs")["Records"])
        ],
    )["Successful"]
    # made when both messages are there, so that they come together
    mapping = source.client("lambda").create_event_source_mapping(
        EventSourceArn=queue_arn, FunctionName=source.function.name, BatchSize=10
    )["UUID"]
    try:
        (event,) = source.delivered()
    finally:
        source.client("lambda").delete_event_source_mapping(UUID=mapping)
        sqs.delete_queue(QueueUrl=url)
    check("sqs", event)
    digests = [answer.get("MD5OfMessageAttributes") for answer in sent]
    assert digests == [record.get("md5OfMessageAttributes") for record in load_event("sqs")["Records"]]


def test_eventbridge(source):
    events, sample, rule = source.client("events"), load_event("eventbridge"), source.function.name
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps({"source": [sample["source"]]}))["RuleArn"]
    source.permit("events", rule_arn)
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": source.arn}])
    entry = {"DetailType": sample["detail-type"], "Detail": json.dumps(sample["detail"])}
    events.put_events(Entries=[{"Source": sample["source"], **entry}])
    (event,) = source.delivered()
    events.remove_targets(Rule=rule, Ids=["1"])
    events.delete_rule(Name=rule)
    check("eventbridge", event)
    assert datetime.fromisoformat(event["time"]).tzinfo == UTC


def send_like(sample: dict, url: str) -> int:
    """Send the request that the sample is of to this address, with its client's headers alone; its status."""
    address, request = urlsplit(url), sample["requestContext"]["http"]
    body = sample.get("body", "").encode()
    body = base64.b64decode(body) if sample["isBase64Encoded"] else body
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=20)
    path = sample["rawPath"] + ("?" + sample["rawQueryString"]).rstrip("?")
    connection.putrequest(request["method"], path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", address.netloc)
    for name in ("accept", "content-type", "user-agent"):
        if name in sample["headers"]:
            connection.putheader(name, sample["headers"][name])
    if body:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("name", ["http-api", "http-api-post"])
def test_http_api(name, source):
    gateway, sample = source.client("apigatewayv2"), load_event(name)
    api = gateway.create_api(Name=name, ProtocolType="HTTP")
    api_id = api["ApiId"]
    integration = gateway.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=source.arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    gateway.create_route(ApiId=api_id, RouteKey=sample["routeKey"], Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    source.permit("apigateway", f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/*")
    assert send_like(sample, api["ApiEndpoint"]) == 200
    (event,) = source.delivered()
    gateway.delete_api(ApiId=api_id)
    check(name, event)


@pytest.mark.parametrize("name", ["function-url", "function-url-post"])
def test_function_url(name, source):
    client, function = source.client("lambda"), source.function.name
    url = public_url(client, function)
    assert send_like(load_event(name), url) == 200
    (event,) = source.delivered()
    check(name, event)


def test_dynamodb_stream(source):
    dynamodb, table = source.client("dynamodb"), "delivered"
    modify = load_event("dynamodb-stream")["Records"][1]["dynamodb"]
    key, item = modify["Keys"], modify["OldImage"]
    kinds = zip(key, ("HASH", "RANGE"), strict=True)
    stream = dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in kinds],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in key],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": modify["StreamViewType"]},
    )["TableDescription"]["LatestStreamArn"]
    dynamodb.put_item(TableName=table, Item=item)
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET likes = :likes",
        ExpressionAttributeValues={":likes": modify["NewImage"]["likes"]},
    )
    dynamodb.delete_item(TableName=table, Key=key)
    # made when all changes are there, so that they come together
    mapping = source.client("lambda").create_event_source_mapping(
        EventSourceArn=stream, FunctionName=source.function.name, StartingPosition="TRIM_HORIZON"
    )["UUID"]
    try:
        (event,) = source.delivered()
    finally:
        source.client("lambda").delete_event_source_mapping(UUID=mapping)
        dynamodb.delete_table(TableName=table)
    check("dynamodb-stream", event)


def test_sns(source):
    sns, sample = source.client("sns"), load_event("sns")["Records"][0]["Sns"]
    topic = sns.create_topic(Name="delivered")["TopicArn"]
    source.permit("sns", topic)
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=source.arn)
    sns.publish(
        TopicArn=topic,
        Subject=sample["Subject"],
        Message=sample["Message"],
        MessageAttributes={
            name: {"DataType": attribute["Type"], "StringValue": attribute["Value"]}
            for name, attribute in sample["MessageAttributes"].items()
        },
    )
    (event,) = source.delivered()
    sns.delete_topic(TopicArn=topic)
    check("sns", event)


@pytest.fixture(scope="module", autouse=True)
def every_minute(clients) -> Iterator[Source]:
    """A rule that fires at each full minute, made first of all, so that the last test has less to wait."""
    name = "delivered-scheduled"
    clients("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
    )
    function = localaws_client.TestedFunction(name, clients)
    function.wait()
    source, events = Source(function, clients), clients("events")
    rule_arn = events.put_rule(Name=name, ScheduleExpression="cron(* * * * ? *)")["RuleArn"]
    source.permit("events", rule_arn)
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": source.arn}])
    yield source
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)
    clients("lambda").delete_function(FunctionName=name)
    if function.logged():
        clients("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}")


@pytest.mark.slow
def test_a_schedule(every_minute):
    # This may take a minute.
    # EventBridge Scheduler's at() is quicker, but sends another event: its source is aws.scheduler, and its
    # detail a string (aws-powertools/powertools-lambda-python, tests/events/eventBridgeSchedulerEvent.json).
    event = every_minute.delivered(seconds=120)[0]
    check("scheduled", event)
    assert event["resources"][0].endswith(":rule/delivered-scheduled")
