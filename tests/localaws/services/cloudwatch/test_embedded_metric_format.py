"""Log events in the embedded metric format become metrics, whoever writes them."""

import json
import time

import pytest
from localaws_client import eventually

from helpers.localaws.services.cloudwatch.embedded_metric_format import Value, values

NOW = 1_700_000_000.0
WHAT = {"Namespace": "Shop", "Dimensions": [["service"]], "Metrics": [{"Name": "Sold", "Unit": "Count"}]}


def event(*directives, at=NOW, **members):
    return json.dumps({"_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": list(directives)}, **members})


def test_a_metric_with_its_dimensions():
    (found,) = values(event(WHAT, service="pay", Sold=3, order="of no interest"), NOW)
    assert found == Value("Shop", "Sold", 3.0, "Count", {"service": "pay"}, NOW)


def test_a_list_is_several_values():
    assert [each.value for each in values(event(WHAT, service="pay", Sold=[1, 2.5]), NOW)] == [1.0, 2.5]


def test_each_set_of_dimensions_is_a_metric_of_its_own():
    sets = {**WHAT, "Dimensions": [["service"], ["service", "shop"], []]}
    found = values(event(sets, service="pay", shop="a", Sold=1), NOW)
    assert [each.dimensions for each in found] == [{"service": "pay"}, {"service": "pay", "shop": "a"}, {}]


def test_no_unit_and_no_dimensions():
    (found,) = values(event({"Namespace": "Shop", "Metrics": [{"Name": "Sold"}]}, Sold=1), NOW)
    assert (found.unit, found.dimensions) == ("None", {})


@pytest.mark.parametrize(
    "message",
    [
        "CloudWatchMetrics",
        '{"CloudWatchMetrics": []}',
        event(WHAT, service="pay", Sold="3"),
        event(WHAT, service="pay", Sold=True),
        event(WHAT, service="pay"),
        event(WHAT, Sold=1),
        event(WHAT, service=7, Sold=1),
        event(WHAT, service="pay", Sold=[1] * 101),
        event({"Metrics": [{"Name": "Sold"}]}, Sold=1),
        event(WHAT, at=NOW - 15 * 24 * 3600, service="pay", Sold=1),
        event(WHAT, at=NOW + 3 * 3600, service="pay", Sold=1),
        json.dumps({"_aws": {"CloudWatchMetrics": [WHAT]}, "service": "pay", "Sold": 1}),
        '{"_aws": "CloudWatchMetrics"' + "[" * 100_000,
        '["CloudWatchMetrics"]',
        '{"_aws": ["CloudWatchMetrics"]}',
    ],
)
def test_what_does_not_keep_to_the_format_is_no_metric(message):
    assert values(message, NOW) == []


def sold(clients, namespace):
    """The sum of Sold, as CloudWatch has it."""
    now = time.time()
    found = clients("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="Sold",
        Dimensions=[{"Name": "service", "Value": "pay"}],
        StartTime=now - 300,
        EndTime=now + 300,
        Period=600,
        Statistics=["Sum"],
    )
    return [(point["Sum"], point["Unit"]) for point in found["Datapoints"]]


def test_what_a_function_prints_reaches_cloudwatch(make_function, clients):
    code = f"""
import json, time
def handler(event, context):
    what = {[{**WHAT, "Namespace": "Printed"}]!r}
    about = {{"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": what}}
    print(json.dumps({{"_aws": about, "service": "pay", "Sold": event}}))
"""
    function = make_function(code)
    for number in (2, 5):
        assert function.invoke(number).error is None
    assert eventually(lambda: sold(clients, "Printed")) == [(7.0, "Count")]


def test_what_a_client_puts_reaches_cloudwatch(clients):
    logs, name = clients("logs"), "tested-emf"
    logs.create_log_group(logGroupName=name)
    try:
        logs.create_log_stream(logGroupName=name, logStreamName="a")
        message = event({**WHAT, "Namespace": "Put"}, at=time.time(), service="pay", Sold=3)
        events = [{"timestamp": int(time.time() * 1000), "message": message}]
        logs.put_log_events(logGroupName=name, logStreamName="a", logEvents=events)
        assert sold(clients, "Put") == [(3.0, "Count")]
    finally:
        logs.delete_log_group(logGroupName=name)
