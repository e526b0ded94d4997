"""Event source mappings: what Lambda refuses, the states they pass through, and the members of its answers.

Words and members as recorded on AWS (lambda_api, mapping_sqs, mapping_dynamodbstreams; end of 2025), else
https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html.
"""

import itertools
import json

import pytest
from localaws_client import eventually, refused

NOTHING = "def handler(event, context):\n    pass\n"
INVALID = "InvalidParameterValueException"
WINDOW = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:"
# The most of each number, as the API's reference has it.
MOST = {
    "BatchSize": 10_000,
    "MaximumBatchingWindowInSeconds": 300,
    "MaximumRecordAgeInSeconds": 604_800,
    "MaximumRetryAttempts": 10_000,
    "ParallelizationFactor": 10,
    "ScalingConfig.MaximumConcurrency": 1000,
    "TumblingWindowInSeconds": 900,
}
_numbers = itertools.count(1)


@pytest.fixture
def queue(clients):
    """Make a queue and give its ARN."""
    sqs, made = clients("sqs"), []

    def make(suffix="", **attributes):
        name = f"mapped-{next(_numbers)}{suffix}"
        made.append(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
        return QUEUE + name

    yield make
    for url in made:
        sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def stream(clients):
    """The ARN of the stream of a new table."""
    table, client = f"mapped-{next(_numbers)}", clients("dynamodb")
    made = client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    yield made["LatestStreamArn"]
    client.delete_table(TableName=table)


@pytest.fixture
def client(clients):
    """The client of Lambda; mappings that are left are deleted."""
    made = clients("lambda")
    yield made
    for each in made.list_event_source_mappings()["EventSourceMappings"]:
        if each["State"] != "Deleting":
            settled(made, each["UUID"])
            made.delete_event_source_mapping(UUID=each["UUID"])


def state(client, uuid):
    return client.get_event_source_mapping(UUID=uuid)["State"]


def settled(client, uuid):
    return eventually(lambda: state(client, uuid) in ("Enabled", "Disabled") and state(client, uuid))


def told(answer):
    """The members of an answer that stay the same."""
    answer.pop("ResponseMetadata")
    return {member: value for member, value in answer.items() if member not in ("UUID", "LastModified")}


def test_the_answers_about_a_queue(client, make_function, queue):
    function, arn = make_function(NOTHING), queue()
    made = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn)
    uuid, mapping = made["UUID"], "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:"
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert told(made) == {
        "BatchSize": 10,
        "EventSourceArn": arn,
        "EventSourceMappingArn": mapping + uuid,
        "FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}",
        "FunctionResponseTypes": [],
        "MaximumBatchingWindowInSeconds": 0,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert settled(client, uuid) == "Enabled"


def test_the_answers_about_a_stream(client, make_function, stream):
    function = make_function(NOTHING)
    made = client.create_event_source_mapping(
        FunctionName=function.name, EventSourceArn=stream, StartingPosition="LATEST", FilterCriteria={"Filters": []}
    )
    made.pop("EventSourceMappingArn")
    made.pop("FunctionArn")
    assert told(made) == {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "EventSourceArn": stream,
        "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "StartingPosition": "LATEST",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }


def test_the_states_of_a_mapping(client, make_function, queue):
    function = make_function(NOTHING)
    of = {"FunctionName": function.name, "EventSourceArn": queue()}
    uuid = client.create_event_source_mapping(**of, Enabled=False)["UUID"]
    assert state(client, uuid) == "Disabled"
    for change, passing, then in (
        ({"Enabled": True}, "Enabling", "Enabled"),
        ({"BatchSize": 5}, "Updating", "Enabled"),
        ({"Enabled": False}, "Disabling", "Disabled"),
        ({"BatchSize": 6}, "Updating", "Disabled"),
    ):
        assert client.update_event_source_mapping(UUID=uuid, **change)["State"] == passing
        assert settled(client, uuid) == then
    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    gone = "ResourceNotFoundException", "The resource you requested does not exist."

    def is_gone():
        try:
            return state(client, uuid) != "Deleting"
        except client.exceptions.ResourceNotFoundException:
            return True

    eventually(is_gone)
    for call in (client.get_event_source_mapping, client.update_event_source_mapping):
        assert refused(call, UUID=uuid) == gone
    assert refused(client.delete_event_source_mapping, UUID=uuid) == gone


def test_a_mapping_that_is_being_changed_is_in_use(client, make_function, queue):
    function = make_function(NOTHING)
    uuid = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=queue())["UUID"]
    code, words = refused(client.update_event_source_mapping, UUID=uuid, BatchSize=1)
    assert (code, words) == ("ResourceInUseException", "Cannot update the event source mapping because it is in use.")
    settled(client, uuid)
    client.update_event_source_mapping(UUID=uuid, BatchSize=1)
    code, words = refused(client.delete_event_source_mapping, UUID=uuid)
    assert (code, words) == ("ResourceInUseException", "Cannot delete the event source mapping because it is in use.")


def test_a_queue_that_does_not_fit(client, make_function, queue):
    function = make_function(NOTHING, Timeout=60)

    def refusal(arn, **settings):
        return refused(client.create_event_source_mapping, FunctionName=function.name, EventSourceArn=arn, **settings)

    code, words = refusal(QUEUE + "nowhere")
    assert code == INVALID
    assert "AWS.SimpleQueueService.NonExistentQueue" in words
    less = "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"
    assert refusal(queue()) == (INVALID, less)
    patient = queue(VisibilityTimeout="60")
    assert refusal(patient, BatchSize=11) == (INVALID, WINDOW)
    assert refusal(patient, StartingPosition="LATEST")[1] == "StartingPosition is not valid for SQS event sources."
    ordered = queue(".fifo", FifoQueue="true", VisibilityTimeout="60")
    assert refusal(ordered, MaximumBatchingWindowInSeconds=1)[1] == "Batching window is not supported for FIFO queues"
    bad = {"FilterCriteria": {"Filters": [{"Pattern": "simple string"}]}}
    assert refusal(patient, **bad) == (INVALID, "Invalid filter pattern definition.")
    code, words = refusal(patient, BisectBatchOnFunctionError=True)
    assert words == "Unsupported 'bisectBatchOnFunctionError' parameter for given event source mapping type."


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:s3:::bucket", "arn:aws:sns:us-east-1:000000000000:t", "arn:aws:dynamodb:us-east-1:000000000000:table/t"],
)
def test_what_is_no_event_source(client, make_function, arn):
    code, words = refused(
        client.create_event_source_mapping, FunctionName=make_function(NOTHING).name, EventSourceArn=arn
    )
    assert code == INVALID
    assert words.startswith("Unrecognized event source")
    assert words.endswith(arn)


def test_sources_and_settings_that_are_not_here_are_named(client, make_function, queue):
    function = make_function(NOTHING)
    of = {"FunctionName": function.name, "EventSourceArn": queue()}
    kinesis = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    words = refused(client.create_event_source_mapping, **{**of, "EventSourceArn": kinesis})[1]
    assert "Kinesis is not in the embedded AWS" in words
    for member, value in {
        "MetricsConfig": {"Metrics": ["EventCount"]},
        "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000",
        "Topics": ["topic"],
    }.items():
        code, words = refused(client.create_event_source_mapping, **of, **{member: value})
        assert code == INVALID
        assert words.endswith(f"not in the embedded AWS; leave {member} out.")


def test_a_stream_that_does_not_fit(client, make_function, stream):
    function = make_function(NOTHING)

    def refusal(**settings):
        of = {"FunctionName": function.name, "EventSourceArn": stream, "StartingPosition": "LATEST", **settings}
        return refused(client.create_event_source_mapping, **{name: value for name, value in of.items() if value})

    missing = "Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."
    assert refusal(StartingPosition=None) == (INVALID, f"1 validation error detected: {missing}")
    code, words = refusal(StartingPosition="invalid")
    assert code == "ValidationException"
    assert words.endswith("Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]")
    words = refusal(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1_700_000_000)[1]
    assert words == f"Unsupported starting position for arn type: {stream}"
    assert refusal(EventSourceArn=stream + "1") == (INVALID, f"Stream not found: {stream}1")
    assert "TumblingWindowInSeconds" in refusal(TumblingWindowInSeconds=30)[1]
    assert "MaximumRecordAgeInSeconds" in refusal(MaximumRecordAgeInSeconds=59)[1]
    assert "'scalingConfig'" in refusal(ScalingConfig={"MaximumConcurrency": 2})[1]


def test_destinations_that_a_stream_cannot_have(client, make_function, stream):
    """https://docs.aws.amazon.com/lambda/latest/api/API_DestinationConfig.html: OnSuccess is not for mappings."""
    function, other = make_function(NOTHING), "arn:aws:lambda:us-east-1:000000000000:function:other"

    def refusal(**destinations):
        config = {name: {"Destination": arn} for name, arn in destinations.items()}
        of = {"FunctionName": function.name, "EventSourceArn": stream, "StartingPosition": "LATEST"}
        return refused(client.create_event_source_mapping, **of, DestinationConfig=config)

    invalid = "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid."
    queue = "arn:aws:sqs:us-east-1:000000000000:any"
    assert refusal(OnSuccess=queue) == (INVALID, invalid.format(f"OnSuccess(destination={queue})", "null"))
    assert refusal(OnFailure=other) == (INVALID, invalid.format("null", f"OnFailure(destination={other})"))
    assert "not in the embedded AWS" in refusal(OnFailure="arn:aws:s3:::any")[1]


@pytest.mark.parametrize(("member", "most"), MOST.items())
def test_what_is_out_of_range(client, make_function, queue, member, most):
    function = make_function(NOTHING)  # boto3 itself refuses what is less than the least
    outer, _, inner = member.partition(".")
    given = {outer: {inner: most + 1} if inner else most + 1}
    of = {"FunctionName": function.name, "EventSourceArn": queue(), **given}
    code, words = refused(client.create_event_source_mapping, **of)
    assert code == "ValidationException"
    assert words.startswith(f"1 validation error detected: Value '{most + 1}' at '")
    assert words.endswith(f"failed to satisfy constraint: Member must have value less than or equal to {most}")


def test_an_update_is_refused_as_what_it_would_make(client, make_function, queue):
    function, other = make_function(NOTHING), make_function(NOTHING, Timeout=60)
    arn = queue()
    uuid = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn)["UUID"]
    settled(client, uuid)

    def refusal(**change):
        return refused(client.update_event_source_mapping, UUID=uuid, **change)

    assert refusal(BatchSize=15) == (INVALID, WINDOW)
    assert refusal(FilterCriteria={"Filters": [{"Pattern": "{}"}]}) == (INVALID, "Invalid filter pattern definition.")
    assert refusal(FunctionName=other.name)[1].startswith("Queue visibility timeout: 30 seconds")
    assert refusal(FunctionName="nobody")[0] == "ResourceNotFoundException"
    assert refusal(MaximumRetryAttempts=3)[1].startswith("Unsupported 'maximumRetryAttempts' parameter")
    client.update_event_source_mapping(UUID=uuid, BatchSize=15, MaximumBatchingWindowInSeconds=1)
    settled(client, uuid)
    assert refusal(MaximumBatchingWindowInSeconds=0) == (INVALID, WINDOW)


def test_what_was_set_can_be_taken_away(client, make_function, queue):
    function, pattern = make_function(NOTHING), json.dumps({"body": {"a": [1]}})
    made = client.create_event_source_mapping(
        FunctionName=function.name,
        EventSourceArn=queue(),
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
        ScalingConfig={"MaximumConcurrency": 2},
    )
    assert made["FilterCriteria"] == {"Filters": [{"Pattern": pattern}]}
    assert made["ScalingConfig"] == {"MaximumConcurrency": 2}
    settled(client, made["UUID"])
    left = client.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={}, ScalingConfig={})
    assert not {"FilterCriteria", "ScalingConfig"} & set(left)


def test_a_second_mapping_of_one_stream_and_function_is_refused(client, make_function, stream):
    of = {"FunctionName": make_function(NOTHING).name, "EventSourceArn": stream, "StartingPosition": "LATEST"}
    uuid = client.create_event_source_mapping(**of)["UUID"]
    assert refused(client.create_event_source_mapping, **of) == (
        "ResourceConflictException",
        f'The event source arn (" {stream} ") and function (" {of["FunctionName"]} ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {uuid}",
    )


def test_an_alias_is_another_function(client, make_function, queue):
    function, arn = make_function(NOTHING), queue()
    version = client.publish_version(FunctionName=function.name)["Version"]
    client.create_alias(FunctionName=function.name, Name="live", FunctionVersion=version)
    first = client.create_event_source_mapping(FunctionName=function.name, EventSourceArn=arn)
    second = client.create_event_source_mapping(FunctionName=f"{function.name}:live", EventSourceArn=arn)
    assert second["FunctionArn"] == f"{first['FunctionArn']}:live"
