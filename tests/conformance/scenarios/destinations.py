"""What becomes of asynchronous invocations: destinations, dead letters, tries, age."""

from helpers.conformance import documented, recorded, scenario
from helpers.conformance.expected import ARN

AREA = "Destinations"
SUITE = "TestLambdaDestinationSqs::"
CODE = """
def handler(event, context):
    if event.get("raise_error"):
        raise Exception("Test exception")
    return {"event": event, "id": context.aws_request_id}
"""
TRACE = ['  File "/var/task/app.py", line 4, in handler\n    raise Exception("Test exception")\n']


def told(condition, tries, request, response, payload):
    return {
        "version": "1.0",
        "timestamp": "<date>",
        "requestContext": {
            "requestId": "<id:1>",
            "functionArn": f"{ARN}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": tries,
        },
        "requestPayload": request,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", **response},
        "responsePayload": payload,
    }


FAILED = {"errorMessage": "Test exception", "errorType": "Exception", "requestId": "<id:1>", "stackTrace": TRACE}


def sent(aws, event, code=CODE, **config):
    """What comes to the queue that is the destination of both."""
    url, arn = aws.queue()
    name = aws.function(code)
    both = {"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}}
    aws.lambda_("put_function_event_invoke_config", FunctionName=name, DestinationConfig=both, **config)
    aws.invoke(name, {})  # a cold start would take from the age of the event
    aws.invoke(name, event, InvocationType="Event")
    return aws.messages(url)[0]["Body"]


@scenario(
    AREA,
    "a success",
    recorded(f"{SUITE}test_assess_lambda_destination_invocation[payload0]", "2025-11-24"),
    told("Success", 1, {}, {}, {"event": {}, "id": "<id:1>"}),
)
def a_success(aws):
    return sent(aws, {}, MaximumRetryAttempts=0)


@scenario(
    AREA,
    "a failure",
    recorded(f"{SUITE}test_assess_lambda_destination_invocation[payload1]", "2025-11-24"),
    told("RetriesExhausted", 1, {"raise_error": 1}, {"functionError": "Unhandled"}, FAILED),
)
def a_failure(aws):
    return sent(aws, {"raise_error": 1}, MaximumRetryAttempts=0)


@scenario(
    AREA,
    "a failure after all tries",
    recorded(f"{SUITE}test_lambda_destination_default_retries", "2025-11-24"),
    told("RetriesExhausted", 3, {"raise_error": 1}, {"functionError": "Unhandled"}, FAILED),
)
def after_all_tries(aws):
    return sent(aws, {"raise_error": 1})


@scenario(
    AREA,
    "an event of 60 s is tried once",
    recorded(f"{SUITE}test_maxeventage", "2025-11-27"),
    told("EventAgeExceeded", 1, {"raise_error": 1}, {"functionError": "Unhandled"}, FAILED),
)
def age_of_a_minute(aws):
    return sent(aws, {"raise_error": 1}, MaximumEventAgeInSeconds=60, MaximumRetryAttempts=2)


@scenario(
    AREA,
    "an event of 120 s is tried twice",
    recorded(f"{SUITE}test_maxeventage", "2025-11-27"),
    told("EventAgeExceeded", 2, {"raise_error": 1}, {"functionError": "Unhandled"}, FAILED),
)
def age_of_two_minutes(aws):
    return sent(aws, {"raise_error": 1}, MaximumEventAgeInSeconds=120, MaximumRetryAttempts=2)


@scenario(
    AREA,
    "a dead letter",
    recorded("TestLambdaDLQ::test_dead_letter_queue", "2025-11-24"),
    {
        "Body": {"raise_error": 1},
        "MessageAttributes": {
            "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            "ErrorMessage": {"DataType": "String", "StringValue": "Test exception"},
            "RequestID": {"DataType": "String", "StringValue": "<id:1>"},
        },
    },
)
def a_dead_letter(aws):
    url, arn = aws.queue()
    name = aws.function(CODE, DeadLetterConfig={"TargetArn": arn})
    aws.lambda_("put_function_event_invoke_config", FunctionName=name, MaximumRetryAttempts=0)
    aws.invoke(name, {"raise_error": 1}, InvocationType="Event")
    found = aws.messages(url, MessageAttributeNames=["All"])[0]
    return {member: found.get(member) for member in ("Body", "MessageAttributes")}


@scenario(
    AREA,
    "the dead-letter queue is in the configuration",
    recorded("TestLambdaDLQ::test_dead_letter_queue", "2025-11-24"),
    [{"TargetArn": "arn:aws:sqs:<region>:<account>:<queue>"}, None],
)
def dead_letter_queue(aws):
    name = aws.function(DeadLetterConfig={"TargetArn": aws.queue()[1]})
    first = aws.lambda_("get_function_configuration", FunctionName=name).get("DeadLetterConfig")
    aws.update(name, DeadLetterConfig={})
    return [first, aws.lambda_("get_function_configuration", FunctionName=name).get("DeadLetterConfig")]


@scenario(
    AREA,
    "another function as a destination",
    documented("https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"),
    {"condition": "Success", "approximateInvokeCount": 1, "functionArn": f"{ARN}:$LATEST", "requestId": "<id:1>"},
)
def another_function(aws):
    url, _ = aws.queue()
    tells = (
        "import boto3, json, os\ndef handler(event, context):\n"
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['TO'], MessageBody=json.dumps(event))\n"
    )
    name = aws.function(CODE)
    other = aws.function(tells, Environment={"Variables": {"TO": url}}, Timeout=20)
    arn = aws.lambda_("get_function_configuration", FunctionName=other)["FunctionArn"]
    destination = {"DestinationConfig": {"OnSuccess": {"Destination": arn}}}
    aws.lambda_("put_function_event_invoke_config", FunctionName=name, **destination)
    aws.invoke(name, {}, InvocationType="Event")
    return aws.messages(url)[0]["Body"]["requestContext"]
