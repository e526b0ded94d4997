"""Monitoring and logs: metrics, the workshop's plots, lines of a log, and Logs Insights."""

import time
from datetime import datetime
from typing import Any

from ...connect import Workshop
from ...deploying.waiting import wait_until
from ...measuring.reports import reports
from ...plots import plot_durations, plot_timeline


def get_metrics(workshop: Workshop, function_name: str, hours: int) -> Any:
    cloudwatch, now = workshop.client("cloudwatch"), time.time()
    sums = {}
    for metric in ("Invocations", "Errors", "Throttles"):
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": function_name}],
            StartTime=datetime.fromtimestamp(now - hours * 3600).astimezone(),
            EndTime=datetime.fromtimestamp(now + 60).astimezone(),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        sums[metric] = int(sum(point["Sum"] for point in points))
    return sums


def read_reports(workshop: Workshop, function_name: str, hours: int) -> Any:
    since = datetime.fromtimestamp(time.time() - hours * 3600).astimezone()
    return reports(workshop.client("logs"), function_name, since=since, timeout=5)


def draw_durations(workshop: Workshop, function_name: str, hours: int) -> Any:
    since = datetime.fromtimestamp(time.time() - hours * 3600).astimezone()
    frame = reports(workshop.client("logs"), function_name, since=since, timeout=5)
    return plot_durations(frame)


def draw_timeline(workshop: Workshop, function_name: str, hours: int) -> Any:
    since = datetime.fromtimestamp(time.time() - hours * 3600).astimezone()
    frame = reports(workshop.client("logs"), function_name, since=since, timeout=5)
    return plot_timeline(frame)


def filter_log(
    workshop: Workshop, log_group: str, pattern: str, minutes: int, at_most: int
) -> Any:
    pages = (
        workshop.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=log_group,
            filterPattern=pattern,
            startTime=int((time.time() - minutes * 60) * 1000),
            PaginationConfig={"MaxItems": at_most},
        )
    )
    return [event for page in pages for event in page["events"]]


def query_log(workshop: Workshop, log_group: str, query: str, minutes: int) -> Any:
    logs, now = workshop.client("logs"), int(time.time())
    query_id = logs.start_query(
        logGroupName=log_group,
        startTime=now - minutes * 60,
        endTime=now + 60,
        queryString=query,
    )["queryId"]
    going_on = ("Scheduled", "Running")
    wait_until(
        lambda: logs.get_query_results(queryId=query_id)["status"] not in going_on, 60
    )
    return logs.get_query_results(queryId=query_id)
