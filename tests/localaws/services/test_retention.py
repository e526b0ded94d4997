"""What is too old for AWS is dropped: metrics and log events."""

import time

from localaws_client import clients_for, eventually, start_server

from helpers import localaws

DAY_S = 24 * 3600


def test_a_start_drops_what_is_too_old(tmp_path, free_port):
    home, port = tmp_path / "home", free_port()
    clients = clients_for(start_server(home, port))
    put_metrics(clients("cloudwatch"))
    put_events(clients("logs"))
    assert metric_names(clients("cloudwatch")) == {"forgotten", "kept"}
    assert localaws.stop(home)
    clients = clients_for(localaws.start(home, port))
    try:
        eventually(lambda: metric_names(clients("cloudwatch")) == {"kept"})
        eventually(lambda: messages(clients("logs"), "/short") == ["new"])
        assert len(messages(clients("logs"), "/for-ever")) == 5001
        (stream,) = clients("logs").describe_log_streams(logGroupName="/short")["logStreams"]
        assert stream["firstEventTimestamp"] == stream["lastEventTimestamp"]
        (datum,) = statistics(clients("cloudwatch"))
        assert (datum["Sum"], datum["SampleCount"]) == (60.0, 30.0)
    finally:
        assert localaws.stop(home)


def put_metrics(cloudwatch):
    at = (time.time() - 20 * DAY_S) // 300 * 300
    data = [{"MetricName": "kept", "Value": 2, "Timestamp": at + second} for second in range(0, 300, 10)]
    forgotten = {"MetricName": "forgotten", "Value": 1, "Timestamp": at - 500 * DAY_S}
    cloudwatch.put_metric_data(Namespace="old", MetricData=[*data, forgotten])


def put_events(logs):
    now = int(time.time() * 1000)
    for group in ("/short", "/for-ever"):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        old = [{"timestamp": now - 2 * DAY_S * 1000 + n, "message": "x" * 100} for n in range(5000)]
        for events in (old, [{"timestamp": now, "message": "new"}]):
            logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    logs.put_retention_policy(logGroupName="/short", retentionInDays=1)


def metric_names(cloudwatch):
    return {each["MetricName"] for each in cloudwatch.list_metrics(Namespace="old")["Metrics"]}


def statistics(cloudwatch):
    """Of three weeks, in periods of five minutes: in parts, as an answer has 1,440 points at most."""
    points, now = [], int(time.time())
    for start in range(now - 21 * DAY_S, now, 3 * DAY_S):
        asked = {"StartTime": start, "EndTime": start + 3 * DAY_S, "Period": 300, "Statistics": ["Sum", "SampleCount"]}
        points += cloudwatch.get_metric_statistics(Namespace="old", MetricName="kept", **asked)["Datapoints"]
    return points


def messages(logs, group):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]
