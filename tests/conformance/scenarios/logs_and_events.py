"""Logs of functions and how they are read; notifications of S3; rules of EventBridge and schedules."""

import json
import re

from helpers.conformance import documented, recorded, scenario

LOGS, S3, EVENTS = "CloudWatch Logs", "S3 notifications", "EventBridge"
API = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"
LINES = recorded("TestCloudwatchLogs::test_multi_line_prints", "2025-11-25")


@scenario(
    LOGS,
    "lines of a function in Python",
    LINES,
    [
        "INIT_START Runtime Version: python:<version>\tRuntime Version ARN: arn:aws:lambda:<region>::runtime:<id>",
        "START RequestId: <id:1> Version: $LATEST",
        "multi",
        "line",
        "another\rline",
        "END RequestId: <id:1>",
        "REPORT RequestId: <id:1>\tDuration: <ms>\tBilled Duration: <ms>\tMemory Size: 128 MB\tMax Memory Used: <MB>\tInit Duration: <ms>\t",
    ],
)
def lines_in_python(aws):
    name = aws.function('def handler(event, context):\n    print("multi\\nline")\n    print("another\\rline")\n')
    aws.invoke(name)
    return [told(line) for line in aws.log_lines(name, "REPORT")]


def told(line):
    line = re.sub(r"(Init |Billed )?Duration: [\d.]+ ms", lambda found: f"{found[1] or ''}Duration: <ms>", line)
    line = re.sub(r"(?<=python:)3\.\d+\.v\d+", "<version>", re.sub(r"(?<=::runtime:)[0-9a-f]{64}", "<id>", line))
    return re.sub(r"Used: \d+ MB", "Used: <MB>", line)


@scenario(
    LOGS,
    "an error's lines",
    recorded("TestLambdaFeatures::test_invocation_type_event_error", "2023-09-04"),
    [
        "[ERROR] CustomException: some error occurred\nTraceback (most recent call last):\n"
        '\xa0\xa0File "/var/task/app.py", line 4, in handler\n\xa0\xa0\xa0\xa0raise CustomException("some error occurred")'
    ],
)
def lines_of_an_error(aws):
    code = 'class CustomException(Exception):\n    pass\ndef handler(event, context):\n    raise CustomException("some error occurred")\n'
    name = aws.function(code)
    aws.invoke(name)
    return [line for line in aws.log_lines(name, "REPORT") if "[ERROR]" in line]


@scenario(
    LOGS,
    "print and logging",
    recorded("TestLambdaDLQ::test_dead_letter_queue", "2025-11-24"),
    ["START RequestId: <id:1> Version: $LATEST", "printed", "[INFO]\t<date>\t<id:1>\tlogged", "END RequestId: <id:1>"],
)
def print_and_logging(aws):
    code = (
        "import logging\nlogging.getLogger().setLevel('INFO')\n"
        "def handler(event, context):\n    print('printed')\n    logging.info('logged')\n"
    )
    name = aws.function(code)
    aws.invoke(name)
    lines = [
        re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<date>", line) for line in aws.log_lines(name, "REPORT")
    ]
    return lines[1:-1]


@scenario(LOGS, "an event of a log", LINES, ["eventId", "ingestionTime", "logStreamName", "message", "timestamp"])
def event_of_a_log(aws):
    name = aws.function()
    aws.invoke(name)
    aws.log_lines(name, "REPORT")
    found = aws.call("logs", "filter_log_events", logGroupName=f"/aws/lambda/{name}")
    return sorted(found["events"][0])


def group(aws, *messages):
    """A log group with a stream of these messages."""
    name, logs = aws.name("group"), aws.client("logs")
    logs.create_log_group(logGroupName=name)
    aws.finally_("logs", "delete_log_group", logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="stream")
    if messages:
        import time

        now = int(time.time() * 1000)
        events = [{"timestamp": now + number, "message": each} for number, each in enumerate(messages)]
        logs.put_log_events(logGroupName=name, logStreamName="stream", logEvents=events)
    return name


TEXTS = ("[ERROR] timeout of a", "[error] timeout of b", "[ERROR] refused by a", "INFO 200 /index 12")
JSONS = tuple(
    json.dumps(each)
    for each in (
        {"level": "ERROR", "n": 7, "user": {"name": "ann"}},
        {"level": "INFO", "n": 3, "user": {"name": "bob"}},
        {"level": "ERROR", "n": 1, "tags": ["x", "y"]},
        {"level": "WARN", "n": 12, "on": True, "none": None},
    )
)
PATTERNS = documented("https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html")
for pattern, events, places in (
    ("", TEXTS, [0, 1, 2, 3]),
    ("ERROR", TEXTS, [0, 2]),
    ("ERROR timeout", TEXTS, [0]),
    ("?timeout ?refused", TEXTS, [0, 1, 2]),
    ("ERROR -timeout", TEXTS, [2]),
    ('"refused by"', TEXTS, [2]),
    ("%[Ee]rror%", TEXTS, [1]),
    ("[level=INFO, status, path, ms]", TEXTS, [3]),
    ("[level, status=2*, path, ms>10]", TEXTS, [3]),
    ('{ $.level = "ERROR" }', JSONS, [0, 2]),
    ('{ $.level = "ERROR" && $.n > 3 }', JSONS, [0]),
    ('{ $.level = "WARN" || $.n = 3 }', JSONS, [1, 3]),
    ('{ $.user.name = "a*" }', JSONS, [0]),
    ('{ $.tags[1] = "y" }', JSONS, [2]),
    ("{ $.on IS TRUE }", JSONS, [3]),
    ("{ $.none IS NULL }", JSONS, [3]),
    ("{ $.user NOT EXISTS }", JSONS, [2, 3]),
    ('{ $.level != "ERROR" }', JSONS, [1, 3]),
    ("{ $.n >= 7 }", JSONS, [0, 3]),
):

    @scenario(LOGS, f"the pattern {pattern or 'of nothing'}", PATTERNS, [events[place] for place in places])
    def filter_pattern(aws, pattern=pattern, events=events):
        name = group(aws, *events)
        found = aws.client("logs").filter_log_events(logGroupName=name, filterPattern=pattern)
        return [each["message"] for each in found["events"]]


@scenario(LOGS, "a pattern that is none", PATTERNS, ["InvalidParameterException", 400])
def bad_pattern(aws):
    answer = aws.call("logs", "filter_log_events", logGroupName=group(aws, "x"), filterPattern="{ $.a = }")
    return [answer.get("refused"), answer["status"]]


@scenario(
    LOGS,
    "a log group that is not there",
    documented(API + "API_FilterLogEvents.html"),
    {"refused": "ResourceNotFoundException", "says": "The specified log group does not exist.", "status": 400},
)
def no_group(aws):
    return aws.call("logs", "filter_log_events", logGroupName=aws.name("group"))


@scenario(
    LOGS,
    "a log group that is there",
    documented(API + "API_CreateLogGroup.html"),
    {"refused": "ResourceAlreadyExistsException", "says": "The specified log group already exists", "status": 400},
)
def group_that_is_there(aws):
    return aws.call("logs", "create_log_group", logGroupName=group(aws))


@scenario(LOGS, "pages of one event", documented(API + "API_FilterLogEvents.html"), ["a", "b", "c"])
def pages_of_events(aws):
    name, found, token = group(aws, "a", "b", "c"), [], {}
    while True:
        answer = aws.call("logs", "filter_log_events", logGroupName=name, limit=1, **token)
        found += [each["message"] for each in answer["events"]]
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


INSIGHTS = documented("https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html")
for query, gives in (
    (
        'fields @message | filter @message like "timeout" | sort @timestamp asc',
        [{"@message": TEXTS[0]}, {"@message": TEXTS[1]}],
    ),
    ("filter @message like /(?i)error/ | stats count(*) as n", [{"n": "3"}]),
    (
        'parse @message "[*] * of *" as level, what, whom | filter ispresent(whom) | stats count(*) as n by level | sort level asc',
        [{"level": "ERROR", "n": "1"}, {"level": "error", "n": "1"}],
    ),
    ("fields strlen(@message) as length | sort length desc | limit 1", [{"length": "20"}]),
):

    @scenario(LOGS, f"the query {query}", INSIGHTS, gives)
    def insights(aws, query=query):
        return queried(aws, group(aws, *TEXTS), query)


@scenario(
    LOGS,
    "a query of fields in JSON",
    INSIGHTS,
    [{"level": "ERROR", "most": "7"}, {"level": "INFO", "most": "3"}, {"level": "WARN", "most": "12"}],
)
def insights_of_json(aws):
    return queried(aws, group(aws, *JSONS), "stats max(n) as most by level | sort level asc")


@scenario(LOGS, "a query that is none", INSIGHTS, ["MalformedQueryException", 400])
def bad_query(aws):
    answer = aws.call(
        "logs", "start_query", logGroupName=group(aws, "x"), startTime=0, endTime=4_000_000_000, queryString="fields |"
    )
    return [answer.get("refused"), answer["status"]]


def queried(aws, name, query):
    """The rows of a query, without the pointers to events."""
    import time

    logs, now = aws.client("logs"), int(time.time())
    given = {"startTime": now - 3600, "endTime": now + 3600, "queryString": query}
    started = logs.start_query(logGroupName=name, **given)["queryId"]

    def done():
        answer = logs.get_query_results(queryId=started)
        return answer if answer["status"] == "Complete" else None

    rows = aws.eventually(done)["results"]
    return [{each["field"]: each["value"] for each in row if each["field"] != "@ptr"} for row in rows]


# S3

STRUCTURE = documented("https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html")
NOTIFY = documented("https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html")
TELLS = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["TO"], MessageBody=json.dumps(event))
"""


def notified(aws, *filters, events=("s3:ObjectCreated:*", "s3:ObjectRemoved:*")):
    """A bucket that invokes a function which tells a queue; and the queue."""
    told, _ = aws.queue()
    name, bucket = aws.function(TELLS, Environment={"Variables": {"TO": told}}, Timeout=20), aws.bucket()
    aws.lambda_(
        "add_permission",
        FunctionName=name,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
    )
    return (
        bucket,
        told,
        put(aws, bucket, name, {"Events": list(events), **(filters[0] if filters else {})}, *filters[1:]),
    )


def put(aws, bucket, function, *configurations):
    arn = aws.lambda_("get_function_configuration", FunctionName=function)["FunctionArn"]
    given = [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"], **each} for each in configurations]
    return aws.call(
        "s3",
        "put_bucket_notification_configuration",
        Bucket=bucket,
        NotificationConfiguration={"LambdaFunctionConfigurations": given},
    )


def prefix(text, kind="prefix"):
    return {"Filter": {"Key": {"FilterRules": [{"Name": kind, "Value": text}]}}}


@scenario(
    S3,
    "a new object",
    STRUCTURE,
    {
        "members": [
            "awsRegion",
            "eventName",
            "eventSource",
            "eventTime",
            "eventVersion",
            "requestParameters",
            "responseElements",
            "s3",
            "userIdentity",
        ],
        "eventName": "ObjectCreated:Put",
        "eventSource": "aws:s3",
        "version": True,
        "object": ["eTag", "key", "sequencer", "size"],
        "key": "a+b%26%C3%A9.txt",
        "size": 3,
        "bucket": "<bucket>",
        "schema": "1.0",
    },
)
def new_object(aws):
    bucket, told_to, _ = notified(aws)
    aws.client("s3").put_object(Bucket=bucket, Key="a b&é.txt", Body=b"abc")
    found = aws.messages(told_to)[0]["Body"]["Records"][0]
    return {
        "members": sorted(found),
        "eventName": found["eventName"],
        "eventSource": found["eventSource"],
        "version": found["eventVersion"] in ("2.1", "2.2", "2.3", "2.4", "2.5", "2.6"),
        "object": sorted(found["s3"]["object"]),
        "key": found["s3"]["object"]["key"],
        "size": found["s3"]["object"]["size"],
        "bucket": found["s3"]["bucket"]["name"],
        "schema": found["s3"]["s3SchemaVersion"],
    }


@scenario(S3, "an object that is deleted has no size", STRUCTURE, ["ObjectRemoved:Delete", ["key", "sequencer"]])
def deleted_object(aws):
    bucket, told_to, _ = notified(aws, events=("s3:ObjectRemoved:*",))
    aws.client("s3").put_object(Bucket=bucket, Key="a", Body=b"abc")
    aws.client("s3").delete_object(Bucket=bucket, Key="a")
    found = aws.messages(told_to)[0]["Body"]["Records"][0]
    return [found["eventName"], sorted(found["s3"]["object"])]


@scenario(S3, "a filter by its ending", NOTIFY, ["b.jpg"])
def filter_by_ending(aws):
    bucket, told_to, _ = notified(aws, prefix(".jpg", "suffix"))
    for key in ("a.png", "b.jpg"):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"abc")
    return [record["s3"]["object"]["key"] for each in aws.messages(told_to) for record in each["Body"]["Records"]]


for what, configurations in {
    "two filters that overlap": [prefix("a"), prefix("ab")],
    "two without a filter": [{}, {}],
    "two suffixes in one filter": [
        {"Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": x} for x in (".a", ".b")]}}}
    ],
    "an event that there is not": [{"Events": ["s3:ObjectEaten:*"]}],
}.items():

    @scenario(S3, what, NOTIFY, ["InvalidArgument", 400])
    def refused_notification(aws, configurations=configurations):
        bucket, function = aws.bucket(), aws.function()
        aws.lambda_(
            "add_permission",
            FunctionName=function,
            StatementId="s3",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
        )
        answer = put(aws, bucket, function, *configurations)
        return [answer.get("refused"), answer["status"]]


@scenario(
    S3,
    "a function that does not let S3 in",
    documented("https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html"),
    {
        "refused": "InvalidArgument",
        "says": "Unable to validate the following destination configurations",
        "status": 400,
    },
)
def not_let_in(aws):
    answer = put(aws, aws.bucket(), aws.function(), {})
    return {member: answer.get(member) for member in ("refused", "says", "status")}


# EventBridge

RULES = documented("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html")
for expression, right in {
    "rate(5 minutes)": True,
    "rate(1 minute)": True,
    "rate(1 minutes)": False,
    "rate(0 minutes)": False,
    "rate(2 hour)": False,
    "cron(0 12 * * ? *)": True,
    "cron(0/15 8-17 ? * MON-FRI *)": True,
    "cron(0 25 * * ? *)": False,
    "cron(0 12 * * ?)": False,
    "cron(0 12 * * * *)": False,
    "every day": False,
}.items():

    @scenario(
        EVENTS,
        f"a rule {expression}",
        RULES,
        [None, 200] if right else ["ValidationException", 400, "Parameter ScheduleExpression is not valid."],
    )
    def rule_with_a_schedule(aws, expression=expression):
        name = aws.name("rule")
        answer = aws.call("events", "put_rule", Name=name, ScheduleExpression=expression)
        aws.finally_("events", "delete_rule", Name=name)
        return [answer.get("refused"), answer["status"], *([answer["says"]] if "says" in answer else [])]


@scenario(
    EVENTS,
    "an event that a rule hands on",
    documented("https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html"),
    {
        "version": "0",
        "id": "<id:1>",
        "detail-type": "order",
        "source": "own.shop",
        "account": "<account>",
        "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        "region": "<region>",
        "resources": [],
        "detail": {"n": 7},
    },
)
def event_of_a_rule(aws):
    url, arn = aws.queue()
    rule, events = aws.name("rule"), aws.client("events")
    pattern = {"source": ["own.shop"], "detail": {"n": [{"numeric": [">", 3]}]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    aws.finally_("events", "delete_rule", Name=rule)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    aws.finally_("events", "remove_targets", Rule=rule, Ids=["1"])
    for n in (1, 7):
        entry = {"Source": "own.shop", "DetailType": "order", "Detail": json.dumps({"n": n})}
        events.put_events(Entries=[entry])
    return aws.messages(url)[0]["Body"]


@scenario(
    EVENTS,
    "a pattern that is none",
    documented("https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"),
    ["InvalidEventPatternException", 400],
)
def bad_event_pattern(aws):
    answer = aws.call("events", "put_rule", Name=aws.name("rule"), EventPattern='{"source": "no list"}')
    return [answer.get("refused"), answer["status"]]


@scenario(
    EVENTS,
    "a rule that is not there",
    documented("https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html"),
    {"refused": "ResourceNotFoundException", "says": "Rule <rule> does not exist on EventBus default.", "status": 400},
)
def no_rule(aws):
    return aws.call("events", "describe_rule", Name=aws.name("rule"))
