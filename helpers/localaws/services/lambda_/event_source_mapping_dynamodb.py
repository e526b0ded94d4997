"""From a stream of DynamoDB to a function: batches in the order of the stream, tried again until they are done.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html, and the pages below it on batches, partial responses and
discarded records. Here a stream has one shard, and `ParallelizationFactor` shares it out by the key of the item.
"""

import contextvars
import json
import logging
import time
import uuid
import zlib
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ministack.core import responses
from ministack.services import dynamodb, dynamodb_streams, lambda_svc

from ....facts import in_bytes
from ...data_plane.pool import Pool
from ...saved_state.stores import Store
from ..contract import Contract
from ..request import Request, request
from ..shapes import Record
from . import destination, event_filter, event_source_mapping, recursive_loops
from .asynchronous_invocation import minute
from .event_source_mapping import SETTINGS
from .execution_role import ExecutionRoles

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (dynamodb, "stream_records_since"): ("table_name", "position", "limit", "account_id", "region"),
    (dynamodb, "stream_start_position"): ("table_name", "account_id", "region"),
    (dynamodb, "stream_end_position"): ("table_name", "account_id", "region"),
    (dynamodb, "_STREAM_RETENTION_SECONDS"): None,
    (dynamodb, "_tables"): None,
    (dynamodb_streams, "_DEFAULT_SHARD_ID"): None,
    (lambda_svc, "_dispatch_esm_batch"): ("esm_id", "fn", "args"),
    (lambda_svc, "_dynamodb_stream_positions"): None,
    (lambda_svc, "_execute_function"): ("func", "event"),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_func_record_for_qualifier"): ("name", "qualifier"),
    (lambda_svc, "_poll_dynamodb_streams"): (),
    (responses, "set_request_account_id"): ("access_key_id",),
    (responses, "set_request_region"): ("region",),
}

MAX_WAITING = 10_000  # records that are read before their turn, for each mapping
MAX_BATCH_BYTES = in_bytes("payload")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0  # before a batch is tried again; each is twice as long as the one before

log = logging.getLogger("localaws.streams")


def install(roles: ExecutionRoles, pool: Pool) -> "Poller":
    """Let MiniStack's mappings of streams behave as AWS's, in the roles of functions. Call once, before it serves."""
    poller = Poller(roles, pool)
    lambda_svc._poll_dynamodb_streams = poller.poll
    return poller


Saved = tuple[list[Record], list[tuple[list[Record], int]], int]  # a lane: what waits, the pieces, its failures


@dataclass
class Piece:
    """A batch, or what is left of one, and how often the function had it."""

    records: list[Record]
    tries: int = 0


@dataclass
class Lane:
    """A part of the shard whose records come one batch after the other."""

    waiting: deque[Record] = field(default_factory=deque)
    since: float = 0.0  # when the first of these was read
    pieces: list[Piece] = field(default_factory=list)  # what the batch under way has come to; the first is next
    due: float = 0.0  # before that it is not tried again
    failures: int = 0  # one after the other
    is_busy: bool = False  # the function runs with it

    @property
    def is_empty(self) -> bool:
        return not (self.waiting or self.pieces or self.is_busy)

    def saved(self) -> Saved:
        """As plain values; times are not among them, so that it goes on at once."""
        return list(self.waiting), [(piece.records, piece.tries) for piece in self.pieces], self.failures

    @classmethod
    def restored(cls, saved: Saved) -> "Lane":
        waiting, pieces, failures = saved
        return cls(deque(waiting), time.monotonic(), [Piece(*piece) for piece in pieces], failures=failures)


@dataclass(frozen=True)
class Attempt:
    """How an invocation ended: which records are done, the first ones, and what the failure record tells."""

    request_id: str
    done: int
    error: str | None = None  # the function's, "Unhandled"; None where it answered that records failed
    throttled: bool = False


class Poller:
    """Reads streams, and lets functions run with their records. A thread of MiniStack's calls it again and again."""

    def __init__(self, roles: ExecutionRoles, pool: Pool) -> None:
        self._roles, self._pool, self._tell = roles, pool, pool.told.tell
        self._lanes: dict[str, list[Lane]] = {}  # of each mapping, by its UUID

    def store(self) -> Store:
        """What was read and is not done, by mapping: it is saved with the places to which streams were read."""

        def entries() -> list[tuple[str, list[Saved]]]:
            return [(identifier, [lane.saved() for lane in lanes]) for identifier, lanes in list(self._lanes.items())]

        def restore(identifier: str, lanes: list[Saved]) -> None:
            self._lanes[identifier] = [Lane.restored(lane) for lane in lanes]

        return Store("batches of streams", "lambda_svc", entries, restore)

    def poll(self) -> bool:
        """Look once at every mapping of a stream; whether there was something, so that there may be more."""
        mappings = [each for each in event_source_mapping.each() if ":dynamodb:" in each[2]["EventSourceArn"]]
        there = {mapping["UUID"] for _, _, mapping in mappings}
        self._lanes = {identifier: lanes for identifier, lanes in self._lanes.items() if identifier in there}
        found = [contextvars.copy_context().run(self._poll, *each) for each in mappings]
        return any(found)

    def _poll(self, account: str, region: str, mapping: Record) -> bool:
        responses.set_request_account_id(account)
        responses.set_request_region(region)
        func, config = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
        if not event_source_mapping.polls(mapping) or not func:
            return False
        if not self._roles.may_read(config["Role"], mapping["FunctionName"], mapping["EventSourceArn"]):
            return False
        lanes = self._lanes_of(mapping)
        read = _read(mapping, lanes)
        started = [self._start(mapping, func, lane) for lane in lanes]
        return read or any(started)

    def _lanes_of(self, mapping: Record) -> list[Lane]:
        """Its lanes; when ParallelizationFactor changes, there are others once these are empty: order is kept."""
        lanes = self._lanes.get(mapping["UUID"], [])
        wanted = _setting(mapping, "ParallelizationFactor")
        if len(lanes) != wanted and all(lane.is_empty for lane in lanes):
            lanes = self._lanes[mapping["UUID"]] = [Lane() for _ in range(wanted)]
        return lanes

    def _start(self, mapping: Record, func: Record, lane: Lane) -> bool:
        """Let the function run with the next batch of the lane, if it is time."""
        if lane.is_busy or lane.due > time.monotonic():
            return False
        if not lane.pieces:
            batch = _next_batch(mapping, lane)
            if not batch:
                return False
            lane.pieces = [Piece(batch)]
        lane.is_busy = True
        lambda_svc._dispatch_esm_batch(mapping["UUID"], self._work, mapping, func, lane)
        return True

    def _work(self, mapping: Record, func: Record, lane: Lane) -> None:
        """Try the next piece of a lane's batch once; until it is done, it is the first."""
        piece, left = lane.pieces[0], []
        try:
            self._drop_old(mapping, func, piece)
            left = self._try(mapping, func, lane, piece) if piece.records else []
        except Exception:  # an error of Lambda's own
            left = [piece]
            if not self._pool.closed:
                log.exception("a batch of %s is tried again", mapping["EventSourceArn"])
                _pause(lane)
        finally:
            lane.pieces = [*left, *lane.pieces[1:]]
            lane.is_busy = False

    def _try(self, mapping: Record, func: Record, lane: Lane, piece: Piece) -> list[Piece]:
        """Run the function with a piece; what is left of it to be tried again, in this order."""
        count = len(piece.records)
        self._tell("notification.sent", **event_source_mapping.edge(mapping), count=count)
        attempt = _invoke(mapping, func, piece.records)
        if self._pool.closed:
            return [piece]
        piece.tries += not attempt.throttled
        left = piece.records[attempt.done :]
        if not left:
            lane.failures, lane.due = 0, 0.0
            event_source_mapping.ended(mapping, worked=True)
            return []
        event_source_mapping.ended(mapping, worked=False)
        _pause(lane)
        half = len(left) // 2
        if attempt.error and not attempt.throttled and half and _setting(mapping, "BisectBatchOnFunctionError"):
            return [Piece(left[:half]), Piece(left[half:])]  # which does not count as a retry
        retries = _setting(mapping, "MaximumRetryAttempts")
        if not attempt.throttled and 0 <= retries < piece.tries:
            lane.failures, lane.due = 0, 0.0
            self._give_up(mapping, func, left, piece.tries, "RetryAttemptsExhausted", attempt)
            return []
        names = {"function": mapping["FunctionName"], "version": func["config"].get("Version", "$LATEST")}
        why, after_s = "throttled" if attempt.throttled else "error", round(lane.due - time.monotonic(), 3)
        again = {"request_id": attempt.request_id, "attempts": piece.tries, "after_s": after_s}
        self._tell("invocation.retried", **names, why=why, **again)
        return [Piece(left, piece.tries)]

    def _drop_old(self, mapping: Record, func: Record, piece: Piece) -> None:
        """Give up the records that are older than the mapping lets them be; the first ones are the oldest."""
        most = _setting(mapping, "MaximumRecordAgeInSeconds")
        most = most if most >= 0 else dynamodb._STREAM_RETENTION_SECONDS
        most *= minute(lambda_svc._functions.get(mapping["FunctionName"]) or func) / 60
        old = [record for record in piece.records if time.time() - _created(record) > most]
        if old:
            piece.records = piece.records[len(old) :]
            self._give_up(mapping, func, old, piece.tries, "RecordAgeExpired", None)

    def _give_up(
        self, mapping: Record, func: Record, records: list[Record], tries: int, condition: str, attempt: Attempt | None
    ) -> None:
        """Tell the destination of failures where the records are that were not done; they themselves are not sent."""
        target = (mapping.get("DestinationConfig") or {}).get("OnFailure", {}).get("Destination")
        if not target:
            return
        told = _failure(mapping, func, records, tries, condition, attempt)
        send = {"sqs": destination.send_message, "sns": destination.publish}[target.split(":")[2]]
        try:
            if not self._roles.may_send(func["config"]["Role"], mapping["FunctionName"], target):
                raise PermissionError(target)
            send(target, told, {})
            names = {"function": mapping["FunctionName"], "version": func["config"].get("Version", "$LATEST")}
            request_id = told["requestContext"]["requestId"]
            self._tell("invocation.destination", **names, request_id=request_id, to=target, condition=condition)
        except (LookupError, PermissionError) as error:
            log.warning("the failure record of %s: %r", mapping["EventSourceArn"], error)


def _setting(mapping: Record, member: str) -> Any:
    """A setting of a mapping, which CloudFormation leaves out where it is as always."""
    return mapping.get(member, SETTINGS["dynamodb"][member])


def _read(mapping: Record, lanes: list[Lane]) -> bool:
    """Read on in the stream, and give each record that passes to the lane of its key; whether there were any."""
    arn, identifier = mapping["EventSourceArn"], mapping["UUID"]
    name = arn.partition("/stream/")[0].rpartition("/")[2]
    table = dynamodb._tables.get(name)
    room = MAX_WAITING - sum(len(lane.waiting) for lane in lanes)
    if not table or table.get("LatestStreamArn") != arn or room <= 0:
        return False
    positions = lambda_svc._dynamodb_stream_positions
    if identifier not in positions:
        latest = mapping.get("StartingPosition") == "LATEST"
        positions[identifier] = (dynamodb.stream_end_position if latest else dynamodb.stream_start_position)(name)
    position = max(positions[identifier], dynamodb.stream_start_position(name))  # what is older than a day is gone
    records = dynamodb.stream_records_since(name, position, room)
    for record in records:
        if event_filter.passes(record, mapping.get("FilterCriteria")):
            lane = lanes[_number(record) % len(lanes)]
            lane.since = lane.since if lane.waiting else time.monotonic()
            lane.waiting.append(record)
    positions[identifier] = position + len(records)
    return bool(records)


def _number(record: Record) -> int:
    """The same for all records of an item."""
    return zlib.crc32(json.dumps(record["dynamodb"]["Keys"], sort_keys=True).encode())


def _pause(lane: Lane) -> None:
    """Let a lane rest before its batch is tried again."""
    lane.due = time.monotonic() + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**lane.failures)
    lane.failures = min(lane.failures + 1, 10)


def _next_batch(mapping: Record, lane: Lane) -> list[Record]:
    """A batch of what waits: full, or as large as it is when its window ends; else nothing yet."""
    size, window = _setting(mapping, "BatchSize"), _setting(mapping, "MaximumBatchingWindowInSeconds")
    if not lane.waiting or (len(lane.waiting) < size and time.monotonic() - lane.since < window):
        return []
    batch: list[Record] = []
    left = MAX_BATCH_BYTES
    while lane.waiting and len(batch) < size:
        left -= len(json.dumps(lane.waiting[0]).encode()) + 2
        if batch and left < 0:
            break
        batch.append(lane.waiting.popleft())
    lane.since = time.monotonic()
    return batch


def _invoke(mapping: Record, func: Record, records: list[Record]) -> Attempt:
    """Run the function with these records."""
    request_id = str(uuid.uuid4())
    request.set(Request(request_id))
    recursive_loops.chain.set({})  # streams of DynamoDB hand on no chain
    result = lambda_svc._execute_function(func, {"Records": records})
    if result.get("error"):
        return Attempt(request_id, 0, result.get("function_error") or "Unhandled", bool(result.get("throttle")))
    return Attempt(request_id, _done(mapping, result.get("body"), records))


def _done(mapping: Record, answer: Any, records: list[Record]) -> int:
    """How many records are done, the first ones: up to the first that a partial batch response reports.

    "Success and failure conditions" in https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or []) or not answer:
        return len(records)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    try:
        reported = [numbers.index(failure["itemIdentifier"]) for failure in answer.get("batchItemFailures") or []]
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0
    return min(reported, default=len(records))


def _created(record: Record) -> float:
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def _failure(
    mapping: Record, func: Record, records: list[Record], tries: int, condition: str, attempt: Attempt | None
) -> Record:
    """What a destination of failures gets, as recorded on AWS (mapping_dynamodbstreams, 2025-11-25)."""
    first, last = records[0], records[-1]
    told: Record = {
        "requestContext": {
            "requestId": attempt.request_id if attempt else str(uuid.uuid4()),
            "functionArn": mapping["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": tries,
        }
    }
    if attempt:
        told["responseContext"] = {
            "statusCode": 200,
            "executedVersion": func["config"].get("Version", "$LATEST"),
            "functionError": attempt.error,
        }
    return told | {
        "version": "1.0",
        "timestamp": destination.now(),
        "DDBStreamBatchInfo": {
            "shardId": dynamodb_streams._DEFAULT_SHARD_ID,
            "startSequenceNumber": first["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": last["dynamodb"]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": _moment(first),
            "approximateArrivalOfLastRecord": _moment(last),
            "batchSize": len(records),
            "streamArn": mapping["EventSourceArn"],
        },
    }


def _moment(record: Record) -> str:
    return datetime.fromtimestamp(_created(record), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
