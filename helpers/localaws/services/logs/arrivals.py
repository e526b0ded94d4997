"""Log events as they come in: metrics are made of them, subscription filters hand them on, and Live Tail shows them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html. MiniStack counts nothing, and takes
most characters of a pattern for none. Here a pattern is what filter_pattern/ makes of it, wherever events come from.
"""

import logging

from ministack.services import cloudwatch_logs

from ..cloudwatch.embedded_metric_format import arrived as embedded_metrics
from ..contract import Contract
from ..shapes import Answer, Record
from .log_events import Event
from .metric_filters import MetricFilters
from .request import Refused, filter_pattern, refusal
from .store import Logs
from .subscription_filters import SubscriptionFilters

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_fanout_to_live_tail_sessions"): ("group_name", "stream_name", "events"),
    (cloudwatch_logs, "_live_tail_sessions"): None,
    (cloudwatch_logs, "_start_live_tail"): ("data",),
    (cloudwatch_logs, "_subscription_pattern_matches"): ("pattern", "message"),
}

log = logging.getLogger("localaws.logs")


def install(logs: Logs, metric_filters: MetricFilters, subscription_filters: SubscriptionFilters) -> None:
    """Let all that comes into `logs` go these ways. Call once, before it serves."""

    def arrived(group: str, stream: str, events: list[Event]) -> None:
        """Whatever becomes of the events there, they are in the log."""
        for told in (metric_filters.arrived, embedded_metrics, subscription_filters.arrived, show_live):
            try:
                told(group, stream, events)
            except Exception:
                log.exception("log events of %s", group)

    start = cloudwatch_logs._start_live_tail

    def start_live_tail(data: Record) -> Answer:
        try:
            filter_pattern(data.get("logEventFilterPattern") or "", "logEventFilterPattern")
        except Refused as refused:
            return refusal(refused)
        return start(data)  # type: ignore[no-any-return]

    logs.arrived = arrived
    cloudwatch_logs._start_live_tail = start_live_tail
    cloudwatch_logs._subscription_pattern_matches = matches


def matches(pattern: str | None, message: str) -> bool:
    """Whether a pattern that was taken before fits a message."""
    return filter_pattern(pattern or "", "filterPattern").matches(message)


def show_live(group: str, stream: str, events: list[Event]) -> None:
    """Give events to those who look at their log group now."""
    if cloudwatch_logs._live_tail_sessions:
        told = [
            {"timestamp": timestamp, "message": message, "ingestionTime": ingested}
            for timestamp, _, ingested, message in events
        ]
        cloudwatch_logs._fanout_to_live_tail_sessions(group, stream, told)
