"""Event source mappings of DynamoDB streams: what they answer and refuse, which records they bring, what becomes of failures."""

import json
import re

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN, bad_value, enum

AREA = "Mappings of DynamoDB streams"
SUITE = "TestDynamoDBEventSourceMapping::"
STREAM = re.compile("arn:aws:dynamodb:<region>:<account>:table/<table>/stream/.+")
TELLS = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["TO"], MessageBody=json.dumps(event))
    told = json.loads(os.environ.get("RETURNS", "null"))
    if told == "fails":
        raise ValueError
    if told == "the last":
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][-1]["dynamodb"]["SequenceNumber"]}]}
    return told
"""


def table(aws, view="NEW_IMAGE"):
    """Name of a new table with a stream, and the ARN of the stream."""
    name, client = aws.name("table"), aws.client("dynamodb")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )
    aws.finally_("dynamodb", "delete_table", TableName=name)
    aws.eventually(lambda: client.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE")
    return name, client.describe_table(TableName=name)["Table"]["LatestStreamArn"]


def create(aws, function, stream, **more):
    given = {"StartingPosition": "TRIM_HORIZON", **more}
    answer = aws.lambda_("create_event_source_mapping", FunctionName=function, EventSourceArn=stream, **given)
    if "UUID" in answer:
        aws.finally_("lambda", "delete_event_source_mapping", UUID=answer["UUID"])
    return answer


def in_state(aws, uuid, state):
    return aws.eventually(lambda: (a := aws.lambda_("get_event_source_mapping", UUID=uuid)).get("State") == state and a)


def mapping(state="Creating", status=202, **more):
    return {
        "UUID": "<id:1>",
        "EventSourceMappingArn": "arn:aws:lambda:<region>:<account>:event-source-mapping:<id:1>",
        "EventSourceArn": STREAM,
        "FunctionArn": ARN,
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "FunctionResponseTypes": [],
        "LastModified": "<date>",
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "TRIM_HORIZON",
        "State": state,
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
        "status": status,
        **more,
    }


LIFE = recorded("TestLambdaEventSourceMappings::test_event_source_mapping_lifecycle", "2025-11-25")
GIVEN = {"BatchSize": 1, "MaximumBatchingWindowInSeconds": 1, "MaximumRetryAttempts": 1}


@scenario(AREA, "a new mapping", recorded(f"{SUITE}test_dynamodb_event_source_mapping", "2025-11-25"), mapping(**GIVEN))
def new_mapping(aws):
    return create(aws, aws.function(), table(aws)[1], **GIVEN)


@scenario(
    AREA,
    "what is not given, and an empty list of filters",
    recorded("TestLambdaEventSourceMappings::test_create_event_filter_criteria_validation", "2025-12-18"),
    mapping(StartingPosition="LATEST"),
)
def what_is_not_given(aws):
    criteria = {"FilterCriteria": {"Filters": []}}
    return create(aws, aws.function(), table(aws)[1], StartingPosition="LATEST", **criteria)


TO_QUEUE = {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:<region>:<account>:<queue>"}}}


@scenario(
    AREA,
    "from the first to the last",
    LIFE,
    [
        mapping(**GIVEN, **TO_QUEUE),
        mapping("Enabled", 200, **GIVEN, **TO_QUEUE),
        mapping("Deleting", **GIVEN, **TO_QUEUE),
    ],
)
def from_first_to_last(aws):
    destination = {"DestinationConfig": {"OnFailure": {"Destination": aws.queue()[1]}}}
    first = create(aws, aws.function(), table(aws)[1], **GIVEN, **destination)
    second = in_state(aws, first["UUID"], "Enabled")
    return [first, second, aws.lambda_("delete_event_source_mapping", UUID=first["UUID"])]


@scenario(
    AREA,
    "a mapping outlives its function",
    recorded("TestLambdaEventSourceMappings::test_event_source_mapping_lifecycle_delete_function", "2025-11-25"),
    [204, mapping("Enabled", 200), mapping("Deleting")],
)
def outlives_its_function(aws):
    name = aws.function()
    uuid = create(aws, name, table(aws)[1])["UUID"]
    in_state(aws, uuid, "Enabled")
    status = aws.lambda_("delete_function", FunctionName=name)["status"]
    found = aws.lambda_("get_event_source_mapping", UUID=uuid)
    return [status, found, aws.lambda_("delete_event_source_mapping", UUID=uuid)]


@scenario(
    AREA,
    "disabling",
    recorded(f"{SUITE}test_disabled_dynamodb_event_source_mapping", "2025-11-25"),
    ["Disabling", "Disabled"],
)
def disabling(aws):
    uuid = create(aws, aws.function(), table(aws)[1])["UUID"]
    in_state(aws, uuid, "Enabled")
    answer = aws.lambda_("update_event_source_mapping", UUID=uuid, Enabled=False)
    return [answer["State"], in_state(aws, uuid, "Disabled")["State"]]


WRONG = recorded("TestLambdaEventSourceMappings::test_create_event_source_validation", "2025-11-25")


@scenario(
    AREA,
    "no starting position",
    WRONG,
    bad_value(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."
    ),
)
def no_starting_position(aws):
    return aws.lambda_("create_event_source_mapping", FunctionName=aws.function(), EventSourceArn=table(aws)[1])


@scenario(
    AREA,
    "a starting position that there is not",
    WRONG,
    enum("invalid", "startingPosition", "LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"),
)
def unknown_position(aws):
    return create(aws, aws.function(), table(aws)[1], StartingPosition="invalid")


@scenario(
    AREA,
    "a starting position of a time",
    WRONG,
    bad_value(
        re.compile(
            "Unsupported starting position for arn type: arn:aws:dynamodb:<region>:<account>:table/<table>/stream/.+"
        )
    ),
)
def position_of_a_time(aws):
    return create(aws, aws.function(), table(aws)[1], StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1)


for case, text in (
    ("single-string", "single-string"),
    ('[{"eventName": ["INSERT"=123}]', '[{"eventName": ["INSERT"=123}]'),
):

    @scenario(
        AREA,
        f"a filter that is none: {text}",
        recorded(f"{SUITE}test_dynamodb_invalid_event_filter[{case}]", "2025-11-25"),
        bad_value("Invalid filter pattern definition."),
    )
    def bad_filter(aws, text=text):
        return create(aws, aws.function(), table(aws)[1], FilterCriteria={"Filters": [{"Pattern": text}]})


# what it brings


def telling(aws, view="NEW_IMAGE", returns=None, **mapped):
    """A table whose stream a function reads that tells what it gets, and the queue that it tells."""
    told, _ = aws.queue()
    name, stream = table(aws, view)
    function = aws.function(TELLS, Environment={"Variables": {"TO": told, "RETURNS": json.dumps(returns)}})
    in_state(aws, create(aws, function, stream, **mapped)["UUID"], "Enabled")
    return name, told


def record(event, view="NEW_IMAGE", size=0, **images):
    return {
        "eventID": "<event-id>",
        "eventName": event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "<region>",
        "dynamodb": {
            "ApproximateCreationDateTime": True,
            "Keys": {"id": {"S": "id_value"}},
            "SequenceNumber": "<sequence>",
            "SizeBytes": size,
            "StreamViewType": view,
            **images,
        },
        "eventSourceARN": STREAM,
    }


def told_records(aws, told, number=1):
    """The records of that many events, with whether each has a time."""
    found = [record for each in aws.messages(told, number) for record in each["Body"]["Records"]]
    for each in found:
        each["dynamodb"]["ApproximateCreationDateTime"] = each["dynamodb"].get("ApproximateCreationDateTime", 0) > 1.6e9
    return found


@scenario(
    AREA,
    "a new item",
    recorded(f"{SUITE}test_dynamodb_event_source_mapping", "2025-11-25"),
    [record("INSERT", size=32, NewImage={"id": {"S": "id_value"}, "binary": {"B": "Zm9vYmFy"}})],
)
def new_item(aws):
    name, told = telling(aws)
    aws.client("dynamodb").put_item(TableName=name, Item={"id": {"S": "id_value"}, "binary": {"B": b"foobar"}})
    return told_records(aws, told)


BOTH = "NEW_AND_OLD_IMAGES"


@scenario(
    AREA,
    "both images, and the sizes of both",
    recorded(f"{SUITE}test_dynamodb_event_filter[content_or_filter]", "2025-11-25"),
    [
        record("INSERT", BOTH, 20, NewImage={"id": {"S": "id_value"}}),
        record(
            "MODIFY",
            BOTH,
            46,
            NewImage={"id": {"S": "id_value"}, "id2": {"S": "id2_new_value"}},
            OldImage={"id": {"S": "id_value"}},
        ),
    ],
)
def both_images(aws):
    name, told = telling(aws, BOTH, BatchSize=1)
    for item in ({"id": {"S": "id_value"}}, {"id": {"S": "id_value"}, "id2": {"S": "id2_new_value"}}):
        aws.client("dynamodb").put_item(TableName=name, Item=item)
    return told_records(aws, told, 2)


ONE, TWO = {"id": {"S": "id_value_1"}}, {"id": {"S": "id_value_2"}}
PRESENT = TWO | {"presentKey": {"S": "presentValue"}}
FILTERS = {  # a pattern, the items that are put, and those that the function hears of
    "content_or_filter": ({"eventName": ["INSERT", "MODIFY"]}, [ONE], [ONE]),
    "exists_false_filter": (  # which looks at values, and an attribute has its own below its type: all pass
        {"dynamodb": {"NewImage": {"presentKey": [{"exists": False}]}}},
        [ONE, PRESENT],
        [ONE, PRESENT],
    ),
    "prefix_filter": (
        {"dynamodb": {"NewImage": {"prefix": {"S": [{"prefix": "us-1"}]}}}},
        [TWO | {"prefix": {"S": "other-suffix"}}, ONE | {"prefix": {"S": "us-1-other-suffix"}}],
        [ONE | {"prefix": {"S": "us-1-other-suffix"}}],
    ),
}
for case, (wanted, items, passing) in FILTERS.items():

    @scenario(
        AREA,
        f"a filter: {json.dumps(wanted)}",
        recorded(f"{SUITE}test_dynamodb_event_filter[{case}]", "2025-11-25"),
        {"pattern": wanted, "told": passing},
    )
    def filtered(aws, wanted=wanted, items=items, passing=passing):
        told, _ = aws.queue()
        name, stream = table(aws, BOTH)
        function = aws.function(TELLS, Environment={"Variables": {"TO": told}})
        criteria = {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(wanted)}]}}
        answer = create(aws, function, stream, BatchSize=1, **criteria)
        in_state(aws, answer["UUID"], "Enabled")
        for item in items:
            aws.client("dynamodb").put_item(TableName=name, Item=item)
        bodies = [each["Body"] for each in aws.messages(told, len(passing))]
        found = [record["dynamodb"]["NewImage"] for body in bodies for record in body["Records"]]
        return {"pattern": json.loads(answer["FilterCriteria"]["Filters"][0]["Pattern"]), "told": found}


EMPTY = {"empty_list_success": [], "null_success": None, "empty_batch_item_failure_success": {"batchItemFailures": []}}
for case, returns in EMPTY.items():

    @scenario(
        AREA,
        f"{json.dumps(returns)} is a success of the batch",
        recorded(f"{SUITE}test_dynamodb_report_batch_item_success_scenarios[{case}]", "2025-11-25"),
        ["first", "second"],
    )
    def success_of_the_batch(aws, returns=returns):
        name, told = telling(aws, returns=returns, FunctionResponseTypes=["ReportBatchItemFailures"], BatchSize=1)
        for key in ("first", "second"):
            aws.client("dynamodb").put_item(TableName=name, Item={"id": {"S": key}})
        found = [record["dynamodb"]["Keys"] for each in aws.messages(told, 2) for record in each["Body"]["Records"]]
        return [each["id"]["S"] for each in found]


def failure(error, times, size=1):
    return {
        "requestContext": {
            "requestId": "<id:1>",
            "functionArn": ARN,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": times,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": error},
        "version": "1.0",
        "timestamp": "<date>",
        "DDBStreamBatchInfo": {
            "shardId": re.compile(r"shardId-\S+"),
            "startSequenceNumber": re.compile(r"\d+"),
            "endSequenceNumber": re.compile(r"\d+"),
            "approximateArrivalOfFirstRecord": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
            "approximateArrivalOfLastRecord": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
            "batchSize": size,
            "streamArn": STREAM,
        },
    }


def failing(aws, returns, retries, items=1, **mapped):
    """What the destination of failures gets, from a function that fails in this way."""
    (failed, arn), (told, _) = aws.queue(), aws.queue()
    name, stream = table(aws)
    function = aws.function(TELLS, Environment={"Variables": {"TO": told, "RETURNS": json.dumps(returns)}})
    destination = {"DestinationConfig": {"OnFailure": {"Destination": arn}}}
    given = {"BatchSize": items, "MaximumBatchingWindowInSeconds": 1, "MaximumRetryAttempts": retries}
    in_state(aws, create(aws, function, stream, **given, **destination, **mapped)["UUID"], "Enabled")
    for number in range(items):
        aws.client("dynamodb").put_item(TableName=name, Item={"id": {"S": f"id-{number}"}})
    return aws.messages(failed)[0]["Body"]


@scenario(
    AREA,
    "a function that fails: the destination",
    recorded(f"{SUITE}test_dynamodb_event_source_mapping_with_on_failure_destination_config", "2025-11-25"),
    failure("Unhandled", 2),
)
def function_that_fails(aws):
    return failing(aws, "fails", 1)


REPORTED = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
FAILURES = {
    "empty_string_item_identifier_failure": {"batchItemFailures": [{"itemIdentifier": ""}]},
    "null_item_identifier_failure": {"batchItemFailures": [{"itemIdentifier": None}]},
    "item_identifier_not_present_failure": {"batchItemFailures": [{"itemIdentifier": "nothing"}]},
    "invalid_key_foo_failure": {"batchItemFailures": [{"foo": "nothing"}]},
}
for case, returns in FAILURES.items():

    @scenario(
        AREA,
        f"{json.dumps(returns)} is a failure of the batch",
        recorded(f"{SUITE}test_dynamodb_report_batch_item_failure_scenarios[{case}]", "2025-11-25"),
        failure(None, 2),
    )
    def failure_of_the_batch(aws, returns=returns):
        return failing(aws, returns, 1, **REPORTED)


@scenario(
    AREA,
    "an exception with ReportBatchItemFailures",
    recorded(
        f"{SUITE}test_dynamodb_report_batch_item_failure_scenarios[unhandled_exception_in_function]", "2025-11-25"
    ),
    failure("Unhandled", 2),
)
def exception_with_reports(aws):
    return failing(aws, "fails", 1, **REPORTED)


@scenario(
    AREA,
    "the record that failed is the destination's, and no other",
    recorded(f"{SUITE}test_dynamodb_report_batch_item_failures_with_on_failure_destination_config", "2024-09-11"),
    failure(None, 2),
)
def record_that_failed(aws):
    return failing(aws, "the last", 1, items=3, **REPORTED)


@scenario(
    AREA,
    "no stream",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"),
    "InvalidParameterValueException",
)
def no_stream(aws):
    arn = f"arn:aws:dynamodb:{aws.account.region}:{aws.account.number}:table/none/stream/2025-01-01T00:00:00.000"
    return create(aws, aws.function(), arn).get("refused")
