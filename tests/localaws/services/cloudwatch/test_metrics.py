"""CloudWatch: AWS/Lambda's metrics count once for each way to invoke, and alarms follow the metric they name."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import requests
from localaws_client import eventually
from meeting import MEETS, together

RETURN = "def handler(event, context):\n    return event\n"
FAIL = "def handler(event, context):\n    raise RuntimeError('always')\n"
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(event)\n"


@pytest.fixture
def value(clients):
    """Give one statistic of a metric over the last quarter of an hour, in periods of 60 s; 0 where there is none."""

    def ask(metric, statistic="Sum", namespace="AWS/Lambda", since=None, **dimensions):
        points = points_of(clients, metric, statistic, namespace, since, dimensions)
        combine = max if statistic == "Maximum" else sum
        return combine([point[statistic] for point in points] or [0])

    return ask


def points_of(clients, metric, statistic, namespace, since, dimensions):
    now = time.time()
    return clients("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Statistics=[statistic],
        Period=60,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=since or now - 900,
        EndTime=now + 60,
    )["Datapoints"]


def test_all_functions_together_are_the_sum_of_each(make_function, value):
    one, two = make_function(RETURN), make_function(FAIL)
    since = time.time() - 900  # the same for both readings: what is older would fall out of the second
    before = {metric: value(metric, since=since) for metric in ("Invocations", "Errors")}
    for function in (one, one, two):
        function.invoke()
    assert value("Invocations", FunctionName=one.name) == 2
    assert value("Errors", FunctionName=one.name) == 0
    assert (value("Invocations", FunctionName=two.name), value("Errors", FunctionName=two.name)) == (1, 1)
    # No dimensions is a metric of its own, that of the whole account: not the sum over every set of dimensions.
    assert value("Invocations", since=since) - before["Invocations"] == 3
    assert value("Errors", since=since) - before["Errors"] == 1


def test_get_metric_data_agrees_with_get_metric_statistics(make_function, clients, value):
    function = make_function("import time\ndef handler(event, context):\n    time.sleep(event / 1000)\n")
    for milliseconds in (1, 1, 1, 200):
        function.invoke(milliseconds)
    dimensions = [{"Name": "FunctionName", "Value": function.name}]
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions},
                "Period": 3600,
                "Stat": statistic,
            },
        }
        for number, (metric, statistic) in enumerate(
            [
                ("Invocations", "Sum"),
                ("Duration", "Maximum"),
                ("Duration", "Average"),
                ("Duration", "SampleCount"),
                ("Duration", "p50"),
            ]
        )
    ]
    now = time.time()
    results = clients("cloudwatch").get_metric_data(MetricDataQueries=queries, StartTime=now - 7200, EndTime=now + 60)[
        "MetricDataResults"
    ]
    invocations, longest, average, count, median = [sum(result["Values"]) for result in results]
    assert invocations == count == 4
    assert longest == value("Duration", "Maximum", FunctionName=function.name) >= 200
    assert median < average < longest
    assert average >= 50


def test_concurrent_executions_of_the_function_and_of_all(make_function, value):
    one, two = make_function(MEETS, Timeout=300), make_function(MEETS, Timeout=300)
    together([one.invoke, two.invoke] * 3)
    assert value("ConcurrentExecutions", "Maximum", FunctionName=one.name) == 3
    assert value("ConcurrentExecutions", "Maximum", FunctionName=two.name) == 3
    assert value("ConcurrentExecutions", "Maximum") >= 6


def test_throttled_calls_are_no_invocations(make_function, clients, value):
    function = make_function(SLEEP, Timeout=30)
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    for _ in range(3):
        with pytest.raises(clients("lambda").exceptions.TooManyRequestsException):
            function.invoke(0)
    assert value("Throttles", FunctionName=function.name) == 3
    assert value("Invocations", FunctionName=function.name) == value("Errors", FunctionName=function.name) == 0


def test_a_version_shares_the_functions_reserved_concurrency(make_function, clients):
    function = make_function(RETURN)
    version = clients("lambda").publish_version(FunctionName=function.name)["Version"]
    assert function.invoke(1, Qualifier=version).payload == 1
    clients("lambda").put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(clients("lambda").exceptions.TooManyRequestsException):
        function.invoke(1, Qualifier=version)


def test_no_call_is_lost_while_metrics_are_read(make_function, value):
    function = make_function(RETURN)
    calls, done = 120, threading.Event()

    def read():
        while not done.is_set():
            value("Invocations", FunctionName=function.name)

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(function.invoke, range(calls)))
    done.set()
    reader.join()
    assert value("Invocations", FunctionName=function.name) == calls


def test_an_invocation_belongs_to_the_minute_of_its_start(make_function, clients):
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html: the time of the invocation."""
    function = make_function(SLEEP, Timeout=30)
    function.invoke(0)
    start = time.time()
    function.invoke(2)
    points = clients("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Duration",
        Statistics=["Maximum"],
        Period=1,
        Dimensions=[{"Name": "FunctionName", "Value": function.name}],
        StartTime=start - 1,
        EndTime=start + 60,
    )["Datapoints"]
    longest = max(points, key=lambda point: point["Maximum"])
    assert longest["Maximum"] >= 2000
    assert longest["Timestamp"] <= datetime.fromtimestamp(start + 1, UTC)


def test_http_and_messages_count_in_the_same_way(make_function, clients, value):
    function = make_function("def handler(event, context):\n    return {'statusCode': 200, 'body': 'ok'}\n")
    for service in ("apigateway", "sns"):
        function.let_in(service)
    arn = clients("lambda").get_function_configuration(FunctionName=function.name)["FunctionArn"]
    endpoint = clients("apigatewayv2").create_api(Name=function.name, ProtocolType="HTTP", Target=arn)
    try:
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(endpoint["ApiEndpoint"] + "/").text == "ok"
    finally:
        clients("apigatewayv2").delete_api(ApiId=endpoint["ApiId"])
    topic = clients("sns").create_topic(Name=function.name)["TopicArn"]
    clients("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    clients("sns").publish(TopicArn=topic, Message="x")
    eventually(lambda: value("Invocations", FunctionName=function.name) >= 2)
    assert value("Invocations", FunctionName=function.name) == len(function.reports()) == 2
    clients("sns").delete_topic(TopicArn=topic)


def test_the_messages_that_wait_in_a_queue(clients, value):
    sqs, name = clients("sqs"), "measured-queue"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))

    def visible():
        return value("ApproximateNumberOfMessagesVisible", "Maximum", "AWS/SQS", QueueName=name)

    eventually(lambda: visible() == 3)
    sqs.receive_message(QueueUrl=url)
    eventually(lambda: value("ApproximateNumberOfMessagesNotVisible", "Maximum", "AWS/SQS", QueueName=name) == 1)
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def alarm(clients):
    """Make an alarm on the errors of a function, and give what tells its state."""
    made = []

    def make(function, **more):
        name = f"{function.name}-errors"
        made.append(name)
        clients("cloudwatch").put_metric_alarm(
            **{
                "AlarmName": name,
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
                "Dimensions": [{"Name": "FunctionName", "Value": function.name}],
                **more,
            }
        )

        def state(member="StateValue"):
            return clients("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0][member]

        return state

    yield make
    clients("cloudwatch").delete_alarms(AlarmNames=made)


def test_an_alarm_follows_the_function_that_it_names_and_no_other(make_function, clients, alarm):
    good, bad = make_function(RETURN), make_function(FAIL)
    of_good, of_bad = alarm(good), alarm(bad)
    assert (of_good(), of_bad()) == ("INSUFFICIENT_DATA", "INSUFFICIENT_DATA")
    good.invoke()
    bad.invoke()
    eventually(lambda: of_bad() == "ALARM")
    eventually(lambda: of_good() == "OK")


@pytest.mark.parametrize(
    ("treatment", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("breaching", "ALARM")],
)
def test_an_alarm_without_data(make_function, alarm, treatment, state):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"""
    state_of = alarm(make_function(RETURN), TreatMissingData=treatment)
    eventually(lambda: state_of() == state)


BREACHING, NOT_BREACHING = {"TreatMissingData": "breaching"}, {"TreatMissingData": "notBreaching"}
ONE, TWO, THREE = ({"EvaluationPeriods": periods} for periods in (1, 2, 3))
AT_LEAST, BELOW, AT_MOST = (
    {"ComparisonOperator": f"{words}Threshold", "Threshold": 2}
    for words in ("GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
)


@pytest.mark.parametrize(
    ("values", "more", "reason"),
    [  # values are those of this minute, of the one before, …
        ([5], ONE, "1 datapoint [5.0 (0)] was greater than the threshold (0.0)."),
        ([0.5], ONE | AT_LEAST, "1 datapoint [0.5 (0)] was not greater than or equal to the threshold (2.0)."),
        ([1, 0], TWO | BELOW, "2 datapoints [1.0 (0), 0.0 (1)] were less than the threshold (2.0)."),
        ([2, 3], TWO | AT_MOST, "1 datapoint [3.0 (1)] was not less than or equal to the threshold (2.0)."),
        (
            [5],
            ONE | {"DatapointsToAlarm": 1},
            "1 out of the last 1 datapoints [5.0 (0)] was greater than the threshold (0.0) "
            "(minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            [9, 2, 1],
            THREE | AT_MOST | {"DatapointsToAlarm": 2},
            "2 out of the last 3 datapoints [2.0 (1), 1.0 (2)] were less than or equal to the threshold (2.0) "
            "(minimum 2 datapoints for OK -> ALARM transition).",
        ),
        (
            [0, 0, 5],
            THREE | {"DatapointsToAlarm": 3},
            "2 out of the last 3 datapoints [0.0 (0), 0.0 (1)] were not greater than the threshold (0.0) "
            "(minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (
            [5],
            THREE | NOT_BREACHING | {"DatapointsToAlarm": 1},
            "1 out of the last 3 datapoints [5.0 (0)] was greater than the threshold (0.0) "
            "and 2 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            [0],
            TWO | BREACHING,
            "1 datapoint [0.0 (0)] was not greater than the threshold (0.0) "
            "and 1 missing datapoint was treated as [Breaching].",
        ),
        (
            [5],
            THREE | NOT_BREACHING,
            "1 datapoint was received for 3 periods and 2 missing datapoints were treated as [NonBreaching].",
        ),
        (
            [],
            ONE | NOT_BREACHING,
            "no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
        ),
        (
            [],
            TWO | BREACHING,
            "no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_reason_of_a_state_is_in_the_words_of_cloudwatch(clients, alarm, values, more, reason):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    watched, this_minute = SimpleNamespace(name=f"watched-{time.time_ns()}"), int(time.time() // 60) * 60
    dimensions = [{"Name": "FunctionName", "Value": watched.name}]
    for ago, value in enumerate(values):
        began = datetime.fromtimestamp(this_minute - 60 * ago, UTC)
        datum = {"MetricName": "Errors", "Dimensions": dimensions, "Timestamp": began, "Value": value}
        clients("cloudwatch").put_metric_data(Namespace="Tests", MetricData=[datum])
        reason = reason.replace(f" ({ago})", f" ({began:%d/%m/%y %H:%M:00})")
    told = alarm(watched, Namespace="Tests", **more)
    eventually(lambda: told("StateValue") != "INSUFFICIENT_DATA")
    assert told("StateReason") == f"Threshold Crossed: {reason}"


@pytest.mark.parametrize(("periods", "unknown"), [(1, "1 datapoint was"), (5, "5 datapoints were")])
def test_the_reason_of_insufficient_data(clients, alarm, periods, unknown):
    watched = SimpleNamespace(name=f"watched-{time.time_ns()}")
    told = alarm(watched, EvaluationPeriods=periods)
    clients("cloudwatch").set_alarm_state(AlarmName=f"{watched.name}-errors", StateValue="OK", StateReason="a test")
    eventually(lambda: told() == "INSUFFICIENT_DATA")
    assert told("StateReason") == f"Insufficient Data: {unknown} unknown."


def test_an_alarm_tells_its_topic(make_function, clients, alarm):
    function, name = make_function(FAIL), "alarmed"
    topic = clients("sns").create_topic(Name=name)["TopicArn"]
    url = clients("sqs").create_queue(QueueName=name)["QueueUrl"]
    queue = clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    clients("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    clients("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    alarm(function, AlarmActions=[topic])
    function.invoke()
    (message,) = eventually(lambda: clients("sqs").receive_message(QueueUrl=url).get("Messages"))
    told = json.loads(json.loads(message["Body"])["Message"])
    assert (told["NewStateValue"], told["AlarmName"]) == ("ALARM", f"{function.name}-errors")
    assert told["NewStateReason"].startswith("Threshold Crossed: 1 datapoint [1.0 (")
    clients("sqs").delete_queue(QueueUrl=url)
    clients("sns").delete_topic(TopicArn=topic)


def test_alarms_are_found_by_their_actions(clients):
    client, topic = clients("cloudwatch"), "arn:aws:sns:us-east-1:000000000000:told-by-an-alarm"
    names = ["with-an-action", "without-an-action"]
    for name, actions in zip(names, ([topic], []), strict=True):
        client.put_metric_alarm(
            AlarmName=name,
            Namespace="own",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            OKActions=actions,
        )

    def found(prefix):
        return [each["AlarmName"] for each in client.describe_alarms(ActionPrefix=prefix)["MetricAlarms"]]

    assert found(topic) == found(topic[:-3]) == names[:1]
    assert found(f"{topic}-of-another-kind") == []
    client.delete_alarms(AlarmNames=names)
