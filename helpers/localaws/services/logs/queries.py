"""StartQuery and its siblings: queries of CloudWatch Logs Insights, run one after the other beside everything else.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html. MiniStack reads a few commands
of the language and takes no notice of the others. Here insights/ knows it; what it does not is refused.
"""

import heapq
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ministack.core import responses
from ministack.services import cloudwatch_logs

from ....facts import fact
from ...saved_state.stores import Store
from ..contract import Contract
from ..iam.evaluation import Iam
from ..shapes import Key, Record
from .insights.expressions import Window
from .insights.fields import EventRow, Source
from .insights.parser import MalformedQuery
from .insights.plan import MOST_ROWS, Plan
from .insights.values import shown
from .log_events import Event, Events, size_of
from .pages import END, within
from .request import (
    MISSING,
    Refused,
    add_operation,
    constraint,
    content_of,
    limit,
    log_group,
    log_stream,
    not_ours,
    operation,
    token,
)

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (cloudwatch_logs, "_get_log_group_fields"): ("data",),
    (cloudwatch_logs, "_get_log_record"): ("data",),
    (cloudwatch_logs, "_get_query_results"): ("data",),
    (cloudwatch_logs, "_log_group_name_from_identifier_arn"): ("identifier",),
    (cloudwatch_logs, "_log_groups"): None,
    (cloudwatch_logs, "_make_group_arn_no_star"): ("name",),
    (cloudwatch_logs, "_start_query"): ("data",),
    (cloudwatch_logs, "_stop_query"): ("data",),
    (responses, "AccountRegionScopedDict"): None,
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
    (responses, "request_scope"): ("account_id", "region"),
}

MAX_GROUPS, MAX_QUERY = int(fact("insights_groups")), 10_000
PAGE_ROWS = 10_000
KEPT = 100  # queries, whose results can be asked for; AWS keeps them for a week
AT_ONCE = 2  # others are Scheduled
MAX_WAITING = 100  # AWS's quota of queries at the same time
GROUPS = ("logGroupName", "logGroupNames", "logGroupIdentifiers")
SAMPLE_S, AROUND_S = 15 * 60, 8 * 60  # that GetLogGroupFields looks at: the latest, or before and after a time
ENDED = ("Complete", "Failed", "Cancelled")

log = logging.getLogger("localaws.insights")


class Query:
    """A query that was started: its plan, and what came of it."""

    def __init__(self, data: Record, names: list[str], plan: Plan, window: Window) -> None:
        self.id = str(uuid.uuid4())
        self.text: str = data["queryString"]
        self.limit: int | None = data.get("limit")
        self.names, self.window = names, window
        self.status = "Scheduled"
        self.results: list[list[dict[str, str]]] = []
        self.created_ms = time.time_ns() // 1_000_000
        self.took_ms = 0
        self._plan, self._bytes = plan, 0
        self._lock = threading.Lock()  # of the status

    def run(self, sources: list[tuple[Source, Record]]) -> None:
        if not self._becomes("Running", "Scheduled"):
            return
        began = time.monotonic()
        try:
            results = self._plan.run(self._rows(sources), lambda: self.status != "Running")
        except Exception:
            log.exception("query %s", self.text)
            self._becomes("Failed", "Running")
            return
        self.took_ms = int((time.monotonic() - began) * 1000)
        with self._lock:
            self.results = results
            if self.status == "Running":
                self.status = "Complete"

    def stop(self) -> bool:
        return self._becomes("Cancelled", "Scheduled", "Running")

    def saved(self) -> Record:
        """As plain values; of one that has not ended there are no results yet."""
        plan = self._plan
        counted = plan.matched, plan.scanned, self._bytes
        names = ("id", "text", "names", "status", "created_ms", "took_ms")
        times = self.window.started, self.window.start, self.window.end
        told = {name: getattr(self, name) for name in names}
        return {**told, "window": times, "counted": counted, "results": self.results, "limit": self.limit}

    @classmethod
    def restored(cls, saved: Record) -> "Query":
        window = Window(*saved["window"])
        data = {"queryString": saved["text"]} | ({"limit": saved["limit"]} if saved["limit"] else {})
        query = cls(data, saved["names"], _planned(data, window), window)
        query.id, query.created_ms = saved["id"], saved["created_ms"]
        if saved["status"] in ENDED:
            query.status, query.took_ms, query.results = saved["status"], saved["took_ms"], saved["results"]
            query._plan.matched, query._plan.scanned, query._bytes = saved["counted"]
        return query

    @property
    def statistics(self) -> Record:
        return {
            "recordsMatched": float(self._plan.matched),
            "recordsScanned": float(self._plan.scanned),
            "bytesScanned": float(self._bytes),
            "estimatedRecordsSkipped": 0.0,  # there are no indexes of fields here
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(self.names)),
            "resultCount": float(len(self.results)),
        }

    @property
    def described(self) -> Record:
        return {
            "queryLanguage": "CWLI",
            "queryId": self.id,
            "queryString": self.text,
            "status": self.status,
            "createTime": self.created_ms,
            "logGroupName": self.names[0],
            "queryDuration": self.took_ms,
            "bytesScanned": float(self._bytes),
        }

    def _becomes(self, status: str, *before: str) -> bool:
        with self._lock:
            if self.status not in before:
                return False
            self.status = status
            return True

    def _rows(self, sources: list[tuple[Source, Record]]) -> Iterator[EventRow]:
        """The events of the window, in the order that the plan wants."""
        for event, source in _merged(sources, self.window.start, self.window.end, self._plan.newest_first):
            self._bytes += size_of(event[3])
            yield EventRow(event, source)


class Queries:
    """All queries of this server."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam
        self._queries = responses.AccountRegionScopedDict()
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="insights")
        self._lock = threading.Lock()

    def install(self) -> None:
        """Let MiniStack answer with these. Call once, before it serves."""
        cloudwatch_logs._start_query = operation(self.start)
        cloudwatch_logs._get_query_results = operation(self.results)
        cloudwatch_logs._stop_query = operation(self.stop)
        cloudwatch_logs._get_log_record = operation(get_log_record)
        cloudwatch_logs._get_log_group_fields = operation(get_log_group_fields)
        add_operation("DescribeQueries", self.described)

    def store(self) -> Store:
        def entries() -> list[tuple[Key, Record]]:
            return [(key, query.saved()) for key, query in self._queries.all_items()]

        def restore(key: Key, saved: Record) -> None:
            self._queries._data[key] = Query.restored(saved)

        return Store("queries of logs", "cloudwatch_logs", entries, restore)

    def resume(self) -> None:
        """Run those that had not ended, from their beginning."""
        for (account, region, _), query in self._queries.all_items():
            if query.status not in ENDED:
                with responses.request_scope(account, region):
                    there = {name: cloudwatch_logs._log_groups.get(name) for name in query.names}
                self._workers.submit(query.run, _sources({name: group for name, group in there.items() if group}))

    def start(self, data: Record) -> Record:
        groups = _groups(data)
        self._check(groups)
        window = _window(data)
        query = Query(data, list(groups), _planned(data, window), window)
        with self._lock:
            if sum(each.status not in ENDED for each in self._queries.values()) >= MAX_WAITING:
                raise Refused("Account maximum query concurrency limit reached.", "LimitExceededException")
            self._queries[query.id] = query
            for old in list(self._queries)[:-KEPT]:
                del self._queries[old]
        self._workers.submit(query.run, _sources(groups))
        return {"queryId": query.id}

    def results(self, data: Record) -> Record:
        query = self._query(data)
        most = data.get("maxItems") or PAGE_ROWS
        if not 0 <= most <= PAGE_ROWS:
            raise constraint("maxItems", most, f"have value less than or equal to {PAGE_ROWS}")
        first = _place(data, query.id)
        status, results = query.status, query.results
        answer: Record = {
            "queryLanguage": "CWLI",
            "results": results[first : first + most],
            "statistics": query.statistics,
            "status": status,
        }
        return answer | ({"nextToken": token(query.id, first + most)} if len(results) > first + most else {})

    def stop(self, data: Record) -> Record:
        query = self._query(data)
        if not query.stop():
            raise Refused(f"The query {query.id} is not running: it is {query.status}.")
        return {"success": True}

    def described(self, data: Record) -> Record:
        most, name, status = data.get("maxResults", 1000), data.get("logGroupName"), data.get("status")
        if not 1 <= most <= 1000:
            raise constraint("maxResults", most, "have value less than or equal to 1000")
        if data.get("queryLanguage") not in (None, "CWLI"):
            return {"queries": []}
        found = [
            each
            for each in reversed(list(self._queries.values()))
            if name in (None, *each.names) and status in (None, each.status)
        ]
        first = _place(data, "")
        page = [each.described for each in found[first : first + most]]
        return {"queries": page} | ({"nextToken": token("", first + most)} if len(found) > first + most else {})

    def _check(self, groups: dict[str, Record]) -> None:
        """Each group has to be allowed; what a request is to IAM (iam/request.py) is one of them."""
        for name in groups:
            arn = f"{cloudwatch_logs._make_group_arn_no_star(name)}:log-stream:"
            if denied := self._iam.refusal("logs:StartQuery", arn, responses.get_region()):
                raise Refused(denied, "AccessDeniedException")

    def _query(self, data: Record) -> Query:
        id_ = data.get("queryId")
        if not id_:
            raise constraint("queryId", id_, "not be null")
        query = self._queries.get(id_)
        if not isinstance(query, Query):
            raise Refused(f"The specified query does not exist: {id_}", MISSING)
        return query


def get_log_record(data: Record) -> Record:
    """All fields of the event that @ptr names."""
    pointer = data.get("logRecordPointer")
    if not pointer:
        raise constraint("logRecordPointer", None, "not be null")
    invalid = Refused("Invalid logRecordPointer provided")
    try:
        content = content_of(pointer)
    except Refused:
        raise invalid from None
    match content:
        case [str(name), str(stream_name), int(timestamp), int(number)]:
            group = cloudwatch_logs._log_groups.get(name)
            events = log_stream(group, stream_name)["events"] if group else []
            found = next(events.forward((timestamp, number)), None) if isinstance(events, Events) else None
            if found is not None and found[:2] == (timestamp, number):
                row = EventRow(found, _source(name, stream_name))
                fields = row.all() | {"@ptr": pointer}
                return {"logRecord": {field: shown(value) for field, value in fields.items()}}
    raise invalid


def get_log_group_fields(data: Record) -> Record:
    """The fields of the events of a quarter of an hour, and how many percent of these have each."""
    name, group = log_group(data)
    now, middle = time.time(), data.get("time")
    start, end = (now - SAMPLE_S, now) if middle is None else (middle - AROUND_S, middle + AROUND_S)
    counts: dict[str, int] = {}
    events = 0
    for event, source in _merged(_sources({name: group}), int(start * 1000), int(end * 1000), False):
        events += 1
        for field in (*EventRow(event, source).all(), "@ptr"):
            counts[field] = counts.get(field, 0) + 1
    found = [{"name": field, "percent": round(100 * count / events)} for field, count in counts.items()]
    return {"logGroupFields": sorted(found, key=lambda each: (-int(each["percent"]), str(each["name"])))}


def _groups(data: Record) -> dict[str, Record]:
    """The log groups that a query is about, by their names."""
    if data.get("queryLanguage") not in (None, "CWLI"):
        raise Refused("The embedded AWS has the query language CWLI alone.")
    given = [member for member in GROUPS if data.get(member)]
    if len(given) != 1:
        raise Refused(f"A query has exactly one of {', '.join(GROUPS)}.")
    wanted = data[given[0]] if given[0] != GROUPS[0] else [data[GROUPS[0]]]
    if len(wanted) > MAX_GROUPS:
        shown_ = f"[{', '.join(wanted)}]"
        raise constraint(given[0], shown_, f"have length less than or equal to {MAX_GROUPS}")
    found: dict[str, Record] = {}
    for each in wanted:
        name = cloudwatch_logs._log_group_name_from_identifier_arn(each) or each
        group = cloudwatch_logs._log_groups.get(name)
        if group is None:
            account = responses.get_account_id()
            raise Refused(f"Log group '{name}' does not exist for account ID '{account}'", MISSING)
        found[name] = group
    return found


def _window(data: Record) -> Window:
    for member in ("startTime", "endTime"):
        if data.get(member) is None:
            raise constraint(member, None, "not be null")
    start, end = data["startTime"], data["endTime"]
    if start > end:
        raise Refused(f"The query's start time {start} is after its end time {end}.")
    return Window(time.time_ns() // 1_000_000, start * 1000, end * 1000 + 999)  # the whole last second, too


def _planned(data: Record, window: Window) -> Plan:
    text = data.get("queryString")
    if text is None:
        raise constraint("queryString", None, "not be null")
    if len(text) > MAX_QUERY:
        raise constraint("queryString", text, f"have length less than or equal to {MAX_QUERY}")
    most = limit(data, MOST_ROWS) if "limit" in data else None
    try:
        return Plan(text, window, most)
    except MalformedQuery as malformed:
        location = {"startCharOffset": malformed.start, "endCharOffset": malformed.end}
        error = {"location": location, "message": str(malformed)}
        raise Refused(str(malformed), "MalformedQueryException", extra={"queryCompileError": error}) from None


def _place(data: Record, of: str) -> int:
    """Where a page begins."""
    if not data.get("nextToken"):
        return 0
    match content_of(data["nextToken"]):
        case [str(query), int(first)] if query == of:
            return first
    raise not_ours()


def _source(group: str, stream: str) -> Source:
    def pointer(event: Event) -> str:
        return token(group, stream, event[0], event[1])

    return Source(responses.get_account_id(), group, stream, pointer)


def _sources(groups: dict[str, Record]) -> list[tuple[Source, Record]]:
    return [
        (_source(name, each), stream) for name, group in groups.items() for each, stream in [*group["streams"].items()]
    ]


def _merged(
    sources: list[tuple[Source, Record]], start: int, end: int, newest_first: bool
) -> Iterator[tuple[Event, Source]]:
    """The events of all these streams within a time, in one order."""
    low, high = (start, 0), min((end + 1, 0), END)
    parts = [
        _of(source, within(stream["events"], low, high, not newest_first))
        for source, stream in sources
        if isinstance(stream["events"], Events) and (stream["lastEventTimestamp"] or 0) >= start
    ]
    if len(parts) == 1:
        return parts[0]
    return heapq.merge(*parts, key=lambda part: part[0][:2], reverse=newest_first)


def _of(source: Source, events: Iterator[Event]) -> Iterator[tuple[Event, Source]]:
    return ((event, source) for event in events)
