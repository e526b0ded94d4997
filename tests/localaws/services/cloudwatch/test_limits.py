"""Metrics that CloudWatch does not take, and questions that it does not answer."""

import time

import pytest
from localaws_client import refused

HOUR_S, DAY_S = 3600, 86_400


@pytest.fixture
def cloudwatch(clients):
    return clients("cloudwatch")


def asked(days=1, period=HOUR_S, **more):
    now = int(time.time())
    return {
        "Namespace": "own",
        "MetricName": "m",
        "StartTime": now - days * DAY_S,
        "EndTime": now,
        "Period": period,
    } | more


def test_a_namespace_of_aws_is_for_aws(cloudwatch):
    datum = {"MetricName": "Invocations", "Value": 1}
    told = refused(cloudwatch.put_metric_data, Namespace="AWS/Lambda", MetricData=[datum])
    assert told == ("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
    cloudwatch.put_metric_data(Namespace="MyAWS/Lambda", MetricData=[datum])


def test_data_has_something_and_not_too_much(cloudwatch):
    told = refused(cloudwatch.put_metric_data, Namespace="own", MetricData=[])
    assert told == ("MissingParameter", "The parameter MetricData is required.")
    data = [{"MetricName": "m", "Value": 1}] * 1001
    code, _ = refused(cloudwatch.put_metric_data, Namespace="own", MetricData=data)
    assert code == "InvalidParameterValue"
    cloudwatch.put_metric_data(Namespace="own", MetricData=data[:1000])


def test_a_question_names_a_statistic(cloudwatch):
    words = "At least one of the parameters Statistics and ExtendedStatistics must be specified."
    assert refused(cloudwatch.get_metric_statistics, **asked()) == ("InvalidParameterCombination", words)
    for statistics in {"Statistics": ["Sum"]}, {"ExtendedStatistics": ["p50"]}:
        cloudwatch.get_metric_statistics(**asked(**statistics))


def test_an_answer_has_1440_points_at_most(cloudwatch):
    told = refused(cloudwatch.get_metric_statistics, **asked(days=2, period=60, Statistics=["Sum"]))
    words = "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. "
    words += "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
    assert told == ("InvalidParameterCombination", words)
    cloudwatch.get_metric_statistics(**asked(days=1, period=60, Statistics=["Sum"]))
