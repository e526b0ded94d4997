"""FilterLogEvents and GetLogEvents: events in pages, which are read from disk as they are asked for.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html and API_GetLogEvents.html.
MiniStack's FilterLogEvents has no second page. A token names a place in the order of all events, so that what is
written meanwhile neither repeats nor hides one.
"""

import heapq
import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator

from ministack.services import cloudwatch_logs

from ..contract import Contract
from ..shapes import Record
from .log_events import Event, Events, Place, event_id, size_of
from .request import (
    Refused,
    constraint,
    content_of,
    filter_pattern,
    limit,
    log_group,
    log_stream,
    not_ours,
    operation,
    token,
)

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_filter_log_events"): ("data",),
    (cloudwatch_logs, "_get_log_events"): ("data",),
}

PAGE_EVENTS, PAGE_BYTES = 10_000, 2**20
SEARCHED = 100_000  # events for one page of FilterLogEvents, as a pattern may fit none; AWS, too, gives empty pages
END: Place = (2**63, 0)
SAME = ("logStreamNames", "logStreamNamePrefix", "startTime", "endTime", "filterPattern")  # on all pages of a request
NEWEST_FIRST_SINCE = 1_704_067_200_000  # 2024-01-01: startFromHead=False is only for what is later
MAX_STREAMS = 100
OF_A_STREAM = re.compile(r"([fb])/(\d{18})(\d{38})/s")


def install() -> None:
    """Let MiniStack answer with pages. Call once, before it serves."""
    cloudwatch_logs._filter_log_events = operation(filter_log_events)
    cloudwatch_logs._get_log_events = operation(get_log_events)


def filter_log_events(data: Record) -> Record:
    name, group = log_group(data)
    names = _names(group, data)
    first, end = _start(data), (data["endTime"] + 1, 0) if "endTime" in data else END
    matches, most = _pattern(data), limit(data, PAGE_EVENTS)
    # What a token is good for: the next page of the same request, which may ask for another number of events.
    asked = zlib.crc32(json.dumps([name, *(data.get(member) for member in SAME)]).encode())
    forward, place = _continued(data, asked, first, end)
    streams = ((each, group["streams"][each]) for each in names)
    found, last = _searched(_merged(streams, forward, place, first, end), matches, most)
    page: Record = {"events": found, "searchedLogStreams": []}  # AWS's list is empty since 2020
    if last is not None:
        page["nextToken"] = token(asked, forward, *(_after(last) if forward else _before(last)))
    return page


def _names(group: Record, data: Record) -> list[str]:
    """The log streams that are searched."""
    names, prefix = data.get("logStreamNames"), data.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise Refused("logStreamNames and logStreamNamePrefix cannot be specified together.")
    if names is None:
        return [each for each in list(group["streams"]) if each.startswith(prefix or "")]
    if not names:
        raise constraint("logStreamNames", "[]", "have length greater than or equal to 1")
    if len(names) > MAX_STREAMS:
        shown = f"[{', '.join(names)}]"
        raise constraint("logStreamNames", shown, f"have length less than or equal to {MAX_STREAMS}")
    for each in names:
        log_stream(group, each)
    return list(dict.fromkeys(names))


def _pattern(data: Record) -> Callable[[str], bool] | None:
    pattern = data.get("filterPattern") or ""
    return filter_pattern(pattern, "filterPattern").matches if pattern.strip() else None


def _start(data: Record) -> Place:
    return data.get("startTime", 0), 0


def _continued(data: Record, asked: int, first: Place, end: Place) -> tuple[bool, Place]:
    """Whether the oldest events come first, and where the page begins."""
    if "nextToken" not in data:
        forward = data.get("startFromHead", True)
        if not forward and first[0] < NEWEST_FIRST_SINCE:
            raise Refused("startFromHead can be false only when startTime is on or after Jan 1, 2024 00:00:00 UTC.")
        return forward, first if forward else end
    match content_of(data["nextToken"]):
        case [int(of), bool(forward), int(timestamp), int(number)] if of == asked:
            return forward, (timestamp, number)
    raise not_ours()


def _merged(
    streams: Iterable[tuple[str, Record]], forward: bool, place: Place, first: Place, end: Place
) -> Iterator[tuple[Event, str]]:
    """The events of all these streams, each with the name of its stream, in one order from a place on."""
    low, high = (place, end) if forward else (first, place)
    parts = [
        _named(name, within(stream["events"], low, high, forward))
        for name, stream in streams
        if isinstance(stream["events"], Events) and (stream["lastEventTimestamp"] + 1, 0) > low
    ]
    return parts[0] if len(parts) == 1 else heapq.merge(*parts, reverse=not forward)


def _named(name: str, events: Iterator[Event]) -> Iterator[tuple[Event, str]]:
    return ((event, name) for event in events)


def within(events: Events, low: Place, high: Place, forward: bool) -> Iterator[Event]:
    """The events from one place to another, the newest first unless `forward`."""
    if not forward:
        return itertools.takewhile(lambda event: event >= low, events.backward(high))
    return events.forward(low) if high == END else itertools.takewhile(lambda event: event < high, events.forward(low))


def _searched(
    events: Iterator[tuple[Event, str]], matches: Callable[[str], bool] | None, most: int
) -> tuple[list[Record], Event | None]:
    """One page of those that match, and the last event before the next page; None where there is no other."""
    found: list[Record] = []
    size, last = 0, None
    for searched, (event, stream) in enumerate(events):
        timestamp, number, ingested, message = event
        if len(found) == most or searched == SEARCHED:
            return found, last
        if matches is None or matches(message):
            size += size_of(message)
            if size > PAGE_BYTES and found:
                return found, last
            found.append(
                {
                    "logStreamName": stream,
                    "timestamp": timestamp,
                    "message": message,
                    "ingestionTime": ingested,
                    "eventId": event_id(timestamp, number),
                }
            )
        last = event
    return found, None


def get_log_events(data: Record) -> Record:
    _, group = log_group(data)
    events = log_stream(group, data.get("logStreamName"))["events"]
    most, given = limit(data, PAGE_EVENTS), data.get("nextToken")
    low, high = _start(data), (data["endTime"], 0) if "endTime" in data else END
    forward = data.get("startFromHead", False)
    place = low if forward else high
    if given is not None:
        forward, place = _told(given)
        place = max(low, min(place, high))
    page = _page(within(events, *((place, high) if forward else (low, place)), forward), most) if events else []
    if not forward:
        page.reverse()
    if page:
        before, after = _before(page[0]), _after(page[-1])
    else:
        before = after = low if given is None else place
    backward_token, forward_token = f"b/{event_id(*before)}/s", f"f/{event_id(*after)}/s"
    if given is not None and not page:  # the end of the stream, where clients stop: they get the token that they sent
        backward_token, forward_token = (backward_token, given) if forward else (given, forward_token)
    return {
        "events": [
            {"timestamp": timestamp, "message": message, "ingestionTime": ingested}
            for timestamp, _, ingested, message in page
        ],
        "nextBackwardToken": backward_token,
        "nextForwardToken": forward_token,
    }


def _before(event: Event) -> Place:
    return event[0], event[1]


def _after(event: Event) -> Place:
    return event[0], event[1] + 1


def _told(token: str) -> tuple[bool, Place]:
    """The direction and the place that a token of GetLogEvents names; its direction goes before startFromHead."""
    found = OF_A_STREAM.fullmatch(token)
    if found is None:
        raise not_ours()
    return found[1] == "f", (int(found[2]), int(found[3]))


def _page(events: Iterator[Event], most: int) -> list[Event]:
    """So many events as a page may have."""
    page: list[Event] = []
    size = 0
    for event in itertools.islice(events, most):
        size += size_of(event[3])
        if size > PAGE_BYTES and page:
            break
        page.append(event)
    return page
