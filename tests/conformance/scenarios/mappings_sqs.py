"""Event source mappings of SQS: what they answer, what they refuse, which batches they bring."""

import json

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN, bad_value, conflict, failed, invalid, not_found

AREA = "Mappings of SQS"
QUEUE = "arn:aws:sqs:<region>:<account>:<queue>"
DOCUMENTED = documented("https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html")
# The function sends its event to a queue, and does what the event's first body says.
TELLS = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["TO"], MessageBody=json.dumps(event))
    told = json.loads(os.environ.get("RETURNS", "null"))
    if told == "fails":
        raise ValueError
    return told
"""


def mapping(state="Creating", status=202, **more):
    return {
        "UUID": "<id:1>",
        "EventSourceMappingArn": "arn:aws:lambda:<region>:<account>:event-source-mapping:<id:1>",
        "EventSourceArn": QUEUE,
        "FunctionArn": ARN,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "LastModified": "<date>",
        "State": state,
        "StateTransitionReason": "USER_INITIATED",
        "status": status,
        **more,
    }


def create(aws, function, source, **more):
    answer = aws.lambda_("create_event_source_mapping", FunctionName=function, EventSourceArn=source, **more)
    if "UUID" in answer:
        aws.finally_("lambda", "delete_event_source_mapping", UUID=answer["UUID"])
    return answer


def enabled(aws, uuid, state="Enabled"):
    return aws.eventually(lambda: (a := aws.lambda_("get_event_source_mapping", UUID=uuid)).get("State") == state and a)


@scenario(
    AREA,
    "a new mapping",
    recorded("TestSQSEventSourceMapping::test_event_source_mapping_default_batch_size", "2025-11-25"),
    mapping(),
)
def new_mapping(aws):
    return create(aws, aws.function(), aws.queue()[1])


@scenario(
    AREA,
    "a mapping is enabled soon",
    recorded("test_failing_lambda_retries_after_visibility_timeout", "2025-11-25"),
    mapping("Enabled", 200, BatchSize=1),
)
def enabled_mapping(aws):
    return enabled(aws, create(aws, aws.function(), aws.queue()[1], BatchSize=1)["UUID"])


@scenario(
    AREA,
    "a mapping that is made disabled, and enabled",
    recorded("test_fifo_message_group_parallelism", "2025-11-25"),
    [mapping("Disabled", BatchSize=1), mapping("Enabling", BatchSize=1), mapping("Enabled", 200, BatchSize=1)],
)
def made_disabled(aws):
    first = create(aws, aws.function(), aws.queue()[1], BatchSize=1, Enabled=False)
    second = aws.lambda_("update_event_source_mapping", UUID=first["UUID"], Enabled=True)
    return [first, second, enabled(aws, first["UUID"])]


@scenario(
    AREA,
    "at most so many functions at a time",
    recorded("TestSQSEventSourceMapping::test_sqs_event_source_mapping_batching_reserved_concurrency", "2025-11-25"),
    mapping(BatchSize=20, MaximumBatchingWindowInSeconds=1, ScalingConfig={"MaximumConcurrency": 2}),
)
def maximum_concurrency(aws):
    scaling = {"ScalingConfig": {"MaximumConcurrency": 2}}
    return create(aws, aws.function(), aws.queue()[1], BatchSize=20, MaximumBatchingWindowInSeconds=1, **scaling)


@scenario(
    AREA,
    "the same mapping twice",
    recorded("TestSQSEventSourceMapping::test_duplicate_event_source_mappings", "2025-11-25"),
    conflict(
        f'An event source mapping with SQS arn (" {QUEUE} ") and function (" <function> ") already exists. '
        "Please update or delete the existing mapping with UUID <id:1>"
    ),
)
def the_same_twice(aws):
    name, (_, arn) = aws.function(), aws.queue()
    create(aws, name, arn)
    return create(aws, name, arn)


WINDOW = bad_value("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
BATCHES = recorded("TestSQSEventSourceMapping::test_event_source_mapping_default_batch_size", "2025-11-25")


@scenario(AREA, "eleven messages without a window: create", BATCHES, WINDOW)
def eleven_without_a_window(aws):
    return create(aws, aws.function(), aws.queue()[1], BatchSize=11)


@scenario(AREA, "eleven messages without a window: update", BATCHES, WINDOW)
def update_to_eleven(aws):
    uuid = create(aws, aws.function(), aws.queue()[1])["UUID"]
    enabled(aws, uuid)
    return aws.lambda_("update_event_source_mapping", UUID=uuid, BatchSize=11)


for pattern in ("None", "simple string", "invalid_filter2"):
    text = {"None": None, "invalid_filter2": '[{"eventName": ["INSERT"=123}]'}.get(pattern, pattern)

    @scenario(
        AREA,
        f"a filter that is none: {pattern}",
        recorded(f"TestSQSEventSourceMapping::test_sqs_invalid_event_filter[{pattern}]", "2025-11-25"),
        bad_value("Invalid filter pattern definition."),
    )
    def bad_filter(aws, text=text):
        text = json.dumps(text) if text is None else text
        return create(aws, aws.function(), aws.queue()[1], FilterCriteria={"Filters": [{"Pattern": text}]})


@scenario(AREA, "no queue", DOCUMENTED, "InvalidParameterValueException")
def no_queue(aws):
    return create(aws, aws.function(), f"arn:aws:sqs:{aws.account.region}:{aws.account.number}:none").get("refused")


@scenario(
    AREA, "messages that are seen again before the function's timeout", DOCUMENTED, "InvalidParameterValueException"
)
def short_visibility(aws):
    name = aws.function(Timeout=60)
    return create(aws, name, aws.queue(VisibilityTimeout="30")[1]).get("refused")


@scenario(AREA, "a FIFO queue has no window", DOCUMENTED, "InvalidParameterValueException")
def fifo_with_a_window(aws):
    return create(aws, aws.function(), aws.queue(fifo=True)[1], MaximumBatchingWindowInSeconds=1).get("refused")


@scenario(
    AREA,
    "no function",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"),
    ["ResourceNotFoundException", 404],
)
def no_function(aws):
    name, (_, arn) = aws.name("function"), aws.queue()
    answer = create(aws, name, arn)
    return [answer.get("refused"), answer["status"]]


@scenario(
    AREA,
    "a batch of 10,001",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"),
    invalid(failed("10001", "batchSize", "have value less than or equal to 10000")),
)
def too_large_a_batch(aws):
    return create(aws, aws.function(), aws.queue()[1], BatchSize=10001, MaximumBatchingWindowInSeconds=1)


@scenario(
    AREA,
    "a mapping that is not there",
    documented("https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html"),
    not_found("The resource you requested does not exist."),
)
def mapping_that_is_not_there(aws):
    return aws.lambda_("get_event_source_mapping", UUID="11111111-2222-4333-8444-555555555555")


NAMES = {
    "a name": ("{name}", ""),
    "name:$LATEST, partial ARN": ("{account}:function:{name}:$LATEST", ":$LATEST"),
    "name:version, partial ARN": ("{account}:function:{name}:1", ":1"),
    "name:alias, partial ARN": ("{account}:function:{name}:live", ":live"),
    "a full ARN": ("arn:aws:lambda:{region}:{account}:function:{name}", ""),
    "a full ARN and a version": ("arn:aws:lambda:{region}:{account}:function:{name}:1", ":1"),
    "a full ARN and an alias": ("arn:aws:lambda:{region}:{account}:function:{name}:live", ":live"),
}
for what, (form, qualifier) in NAMES.items():

    @scenario(
        AREA,
        f"its function by {what}",
        recorded("TestLambdaEventSourceMappings::test_function_name_variations", "2025-11-25"),
        mapping(FunctionArn=ARN + qualifier),
    )
    def names(aws, form=form):
        name = aws.function()
        aws.lambda_("create_alias", FunctionName=name, Name="live", FunctionVersion=aws.publish(name))
        given = form.format(name=name, account=aws.account.number, region=aws.account.region)
        return create(aws, given, aws.queue()[1])


# what it brings


def record(body, attributes=None, count="1", **more):
    return {
        "messageId": "<id:1>",
        "receiptHandle": "<handle>",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": count,
            "SentTimestamp": "<ms>",
            "SenderId": "<sender>",
            "ApproximateFirstReceiveTimestamp": "<ms>",
        },
        "messageAttributes": attributes or {},
        "md5OfBody": "<md5>",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "<region>",
        **more,
    }


def telling(aws, returns=None, timeout="30", redrive=None, **mapped):
    """A function that tells what it gets: the queue that it reads from, and the one that it tells."""
    attributes = {"VisibilityTimeout": timeout}
    if redrive:
        attributes["RedrivePolicy"] = json.dumps(redrive)
    source, arn = aws.queue(**attributes)
    told, _ = aws.queue()
    variables = {"TO": told, "RETURNS": json.dumps(returns)}
    name = aws.function(TELLS, Environment={"Variables": variables}, Timeout=int(timeout), MemorySize=512)
    enabled(aws, create(aws, name, arn, **mapped)["UUID"])
    return source, told


@scenario(
    AREA,
    "a message",
    recorded("TestSQSEventSourceMapping::test_sqs_event_source_mapping", "2025-11-25"),
    {"Records": [record('{"foo": "bar"}')]},
)
def a_message(aws):
    source, told = telling(aws)
    aws.client("sqs").send_message(QueueUrl=source, MessageBody='{"foo": "bar"}')
    return aws.messages(told)[0]["Body"]


def text(value, kind="String"):
    return {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": kind}


@scenario(
    AREA,
    "a message with attributes",
    recorded("test_message_body_and_attributes_passed_correctly", "2025-11-25"),
    {
        "Records": [
            record("x", {"Title": text("The Whistler"), "WeeksOn": text("6", "Number")}, md5OfMessageAttributes="<md5>")
        ]
    },
)
def message_with_attributes(aws):
    source, told = telling(aws)
    attributes = {
        "Title": {"DataType": "String", "StringValue": "The Whistler"},
        "WeeksOn": {"DataType": "Number", "StringValue": "6"},
    }
    aws.client("sqs").send_message(QueueUrl=source, MessageBody="x", MessageAttributes=attributes)
    return aws.messages(told)[0]["Body"]


@scenario(
    AREA,
    "a function that fails gets the message again",
    recorded("test_failing_lambda_retries_after_visibility_timeout", "2025-11-25"),
    [{"Records": [record("x")]}, {"Records": [record("x", count="2")]}],
)
def function_that_fails(aws):
    source, told = telling(aws, "fails", "6")
    aws.client("sqs").send_message(QueueUrl=source, MessageBody="x")
    return [each["Body"] for each in aws.messages(told, 2)[:2]]


EMPTY = {"an empty object": {}, "an empty list of failures": {"batchItemFailures": []}, "null": None}
for what, returns in EMPTY.items():

    @scenario(
        AREA,
        f"{what} is a success of the whole batch",
        recorded("test_report_batch_item_failures_empty_json_batch_succeeds", "2025-11-25"),
        {"told": [{"Records": [record("x")]}], "left": ["0", "0"]},
    )
    def success_of_the_batch(aws, returns=returns):
        source, told = telling(aws, returns, FunctionResponseTypes=["ReportBatchItemFailures"])
        aws.client("sqs").send_message(QueueUrl=source, MessageBody="x")
        found = [each["Body"] for each in aws.messages(told)]
        return {"told": found, "left": aws.eventually(lambda: empty(aws, source))}


def empty(aws, queue):
    """The numbers of its messages that can be read and that cannot, if there is none."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return [attributes[name] for name in names] if all(attributes[name] == "0" for name in names) else []


@scenario(
    AREA,
    "an invalid list of failures is a failure of the whole batch",
    recorded("test_report_batch_item_failures_invalid_result_json_batch_fails", "2025-11-25"),
    {"told": ["1", "2"], "dead": ["x"]},
)
def failure_of_the_batch(aws):
    dead, dead_arn = aws.queue()
    source, told = telling(
        aws,
        {"batchItemFailures": [{"foo": "notvalid"}]},
        "6",
        {"deadLetterTargetArn": dead_arn, "maxReceiveCount": "2"},
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    aws.client("sqs").send_message(QueueUrl=source, MessageBody="x")
    counts = [each["Body"]["Records"][0]["attributes"]["ApproximateReceiveCount"] for each in aws.messages(told, 2)]
    return {"told": counts, "dead": [each["Body"] for each in aws.messages(dead)]}


@scenario(
    AREA,
    "a batch is one invocation",
    recorded("TestSQSEventSourceMapping::test_sqs_event_source_mapping_batch_size[15]", "2025-11-25"),
    sorted(f"message-{number}" for number in range(15)),
)
def one_batch(aws):
    source, told = telling(aws, BatchSize=15, MaximumBatchingWindowInSeconds=2)
    for first in range(0, 15, 5):
        entries = [{"Id": str(n), "MessageBody": f"message-{n}"} for n in range(first, first + 5)]
        aws.client("sqs").send_message_batch(QueueUrl=source, Entries=entries)
    found = []
    while len(found) < 15:
        found += [record["body"] for each in aws.messages(told) for record in each["Body"]["Records"]]
    return sorted(found)


FILTERS = {
    "[single]": ({"body": {"my-key": ["my-value"]}}, {"my-key": "my-value"}, {"my-key": "other"}, "2025-11-25"),
    "[and-filter]": (
        {"body": {"testItem": ["test24", "test45"], "test2": ["go"]}},
        {"testItem": "test45", "test2": "go"},
        {"testItem": "test67", "test2": "go"},
        "2024-12-10",
    ),
    "[exists]": ({"body": {"my-key": [{"exists": True}]}}, {"my-key": "any"}, {"other": "any"}, "2025-11-25"),
    "[numeric-bigger]": ({"body": {"n": [{"numeric": [">", 100]}]}}, {"n": 101}, {"n": 100}, "2025-11-25"),
    "[numeric-range]": ({"body": {"n": [{"numeric": [">=", 100, "<", 200]}]}}, {"n": 100}, {"n": 200}, "2025-11-25"),
    "[filter5-item_matching5-item_not_matching5]": (
        {"body": {"n": [{"numeric": ["<", 100]}]}},
        {"n": 93},
        {"n": 107},
        "2024-10-12",
    ),
    "[prefix]": ({"body": {"my-key": [{"prefix": "yes"}]}}, {"my-key": "yes-1"}, {"my-key": "no-yes"}, "2025-11-25"),
}
for case, (wanted, matching, other, date) in FILTERS.items():

    @scenario(
        AREA,
        f"a filter: {json.dumps(wanted['body'])}",
        recorded(f"TestSQSEventSourceMapping::test_sqs_event_filter{case}", date),
        {
            "create": mapping(
                MaximumBatchingWindowInSeconds=1, FilterCriteria={"Filters": [{"Pattern": json.dumps(wanted)}]}
            ),
            "told": [json.dumps(matching)],
            "left": ["0", "0"],
        },
    )
    def filtered(aws, wanted=wanted, matching=matching, other=other):
        source, arn = aws.queue()
        told, _ = aws.queue()
        name = aws.function(TELLS, Environment={"Variables": {"TO": told}})
        criteria = {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(wanted)}]}}
        answer = create(aws, name, arn, MaximumBatchingWindowInSeconds=1, **criteria)
        enabled(aws, answer["UUID"])
        for body in (other, matching):
            aws.client("sqs").send_message(QueueUrl=source, MessageBody=json.dumps(body))
        found = [record["body"] for each in aws.messages(told) for record in each["Body"]["Records"]]
        return {"create": answer, "told": found, "left": aws.eventually(lambda: empty(aws, source))}


@scenario(
    AREA,
    "a filter on text",
    recorded("TestSQSEventSourceMapping::test_sqs_event_filter[plain-string-filter]", "2024-12-10"),
    ["top-secret"],
)
def filter_on_text(aws):
    criteria = {"FilterCriteria": {"Filters": [{"Pattern": '{"body": ["top-secret"]}'}]}}
    source, told = telling(aws, **criteria)
    for body in ("other", "top-secret"):
        aws.client("sqs").send_message(QueueUrl=source, MessageBody=body)
    return [record["body"] for each in aws.messages(told) for record in each["Body"]["Records"]]
