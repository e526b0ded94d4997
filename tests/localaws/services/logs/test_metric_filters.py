"""Metric filters: log events become metrics, those of functions, too."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from localaws_client import eventually, refused

NOW = int(time.time() * 1000) // 60_000 * 60_000 - 120_000  # a minute that has ended
ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.fixture
def group(clients):
    client, name = clients("logs"), "/test/metric-filters"
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="s")
    yield name
    client.delete_log_group(logGroupName=name)


@pytest.fixture
def count(clients, group):
    """Make a filter, put messages, and get the statistics of its metric by the minute."""

    def counted(metric, pattern, *messages, at=(), **transformation):
        clients("logs").put_metric_filter(
            logGroupName=group,
            filterName=metric,
            filterPattern=pattern,
            metricTransformations=[
                {"metricName": metric, "metricNamespace": "Test", "metricValue": "1", **transformation}
            ],
        )
        events = [{"timestamp": NOW, "message": message} for message in messages]
        clients("logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
        return points(clients, metric, at)

    return counted


def points(clients, metric, dimensions=()):
    """(Sum, SampleCount, Unit) of each minute."""
    found = clients("cloudwatch").get_metric_statistics(
        Namespace="Test",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
        StartTime=datetime.now(UTC) - timedelta(hours=1),
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return [(point["Sum"], point["SampleCount"], point["Unit"]) for point in found]


def test_events_that_fit_are_counted(count):
    assert count("Errors", "ERROR -x", "ERROR", "ERROR x", "error", "an ERROR") == [(2, 2, "None")]


def test_values_of_events_are_published(count):
    events = ['{"latency": 12.5}', '{"latency": "7.5"}', '{"latency": "much"}', "{}", "x"]
    assert count("Latency", "{ $.latency = * }", *events, metricValue="$.latency", unit="Milliseconds") == [
        (20, 2, "Milliseconds")
    ]
    assert count("Bytes", "[..., status = 4*, bytes]", ACCESS, "x", metricValue="$bytes") == [(1534, 1, "None")]


def test_dimensions_are_values_of_events(count, clients):
    events = ['{"n": 1, "k": "a"}', '{"n": 2, "k": "b"}', '{"n": 4}', '{"n": 8, "k": "a"}']
    assert count(
        "ByKind", "{ $.n = * }", *events, at=[("Kind", "a")], metricValue="$.n", dimensions={"Kind": "$.k"}
    ) == [(9, 2, "None")]
    assert points(clients, "ByKind", [("Kind", "b")]) == [(2, 1, "None")]
    assert points(clients, "ByKind") == []


def test_a_default_value_stands_for_a_minute_without_a_match(count):
    assert count("Rare", "ERROR", "one", "two", defaultValue=0) == [(0, 1, "None")]


def test_the_logs_of_functions_are_counted(make_function, clients):
    function = make_function("def handler(event, context):\n    print('CODE', event['n'])\n")
    name = f"/aws/lambda/{function.name}"
    clients("logs").create_log_group(logGroupName=name)
    clients("logs").put_metric_filter(
        logGroupName=name,
        filterName="codes",
        filterPattern="[word = CODE, n]",
        metricTransformations=[{"metricName": "Codes", "metricNamespace": "Test", "metricValue": "$n"}],
    )
    for n in (2, 3):
        function.invoke({"n": n})
    assert eventually(lambda: sum(total for total, _, _ in points(clients, "Codes")) == 5)
    described = clients("logs").describe_metric_filters(logGroupName=name)["metricFilters"]
    assert [each["filterPattern"] for each in described] == ["[word = CODE, n]"]
    clients("logs").delete_metric_filter(logGroupName=name, filterName="codes")
    assert refused(clients("logs").delete_metric_filter, logGroupName=name, filterName="codes") == (
        "ResourceNotFoundException",
        "The specified metric filter does not exist.",
    )


def test_a_pattern_is_tried(clients):
    answer = clients("logs").test_metric_filter(
        filterPattern="[..., status = 4*, bytes]", logEventMessages=["x", ACCESS]
    )
    (match,) = answer["matches"]
    assert (match["eventNumber"], match["eventMessage"]) == (2, ACCESS)
    assert match["extractedValues"]["$status"] == "404" and match["extractedValues"]["$1"] == "127.0.0.1"
    tried = clients("logs").test_metric_filter(filterPattern="ERROR", logEventMessages=["ERROR", "error"])
    assert tried["matches"] == [{"eventNumber": 1, "eventMessage": "ERROR", "extractedValues": {}}]
    assert refused(clients("logs").test_metric_filter, filterPattern="a:b", logEventMessages=["x"]) == (
        "InvalidParameterException",
        "Invalid character(s) in term ':'",
    )


def test_what_is_refused(clients, group):
    def why(pattern="{ $.a = * }", name="f", **transformation):
        given = {"metricName": "M", "metricNamespace": "Test", "metricValue": "1", **transformation}
        return refused(
            clients("logs").put_metric_filter,
            logGroupName=group,
            filterName=name,
            filterPattern=pattern,
            metricTransformations=[given],
        )

    invalid = "InvalidParameterException"
    assert why("{ $.a") == (invalid, "Invalid filter pattern")
    assert why(dimensions={"k": "$.k"}, defaultValue=0) == (
        invalid,
        "Invalid metric transformation: dimensions and default value are mutually exclusive properties.",
    )
    for wrong in (
        {"dimensions": {k: "$.k" for k in "abcd"}},
        {"metricValue": "many"},
        {"unit": "Parsecs"},
        {"metricNamespace": "AWS/Lambda"},
    ):
        assert why(**wrong)[0] == invalid
    assert why("ERROR", metricValue="$.a")[0] == invalid
    client = clients("logs")
    for number in range(5):
        client.put_metric_filter(
            logGroupName=group,
            filterName=f"r{number}",
            filterPattern="%x%",
            metricTransformations=[{"metricName": "M", "metricNamespace": "Test", "metricValue": "1"}],
        )
    assert why("%y%", name="r5") == ("LimitExceededException", "Resource limit exceeded.")
