"""Event source mappings as they are made, changed and deleted: what Lambda refuses, their states, and its answers.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html. Who takes from a source is in
event_source_mapping_sqs.py and event_source_mapping_dynamodb.py.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

from ministack.core import responses
from ministack.services import dynamodb, lambda_svc

from ...data_plane.census import Tell
from .. import sqs
from ..constraints import detected, violation, wire
from ..contract import Contract
from ..shapes import Answer, Record
from . import absent, event_filter, states
from .errors import invalid_parameter
from .execution_role import ExecutionRoles

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (dynamodb, "_tables"): None,
    (lambda_svc, "_create_esm"): ("data",),
    (lambda_svc, "_delete_esm"): ("esm_id",),
    (lambda_svc, "_ensure_poller"): (),
    (lambda_svc, "_esm_arn"): ("esm_id",),
    (lambda_svc, "_esm_response"): ("esm",),
    (lambda_svc, "_esm_wake"): None,
    (lambda_svc, "_esms"): None,
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_get_esm"): ("esm_id",),
    (lambda_svc, "_get_func_record_for_qualifier"): ("name", "qualifier"),
    (lambda_svc, "_init_stream_position"): ("esm_id", "source_arn", "starting"),
    (lambda_svc, "_iter_all_esms"): (),
    (lambda_svc, "_release_esm_poll_state"): ("esm_id",),
    (lambda_svc, "_resolve_existing_esm_function"): ("function_ref",),
    (lambda_svc, "_update_esm"): ("esm_id", "data"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
    (responses, "json_response"): ("data", "status", "content_type"),
}

SETTINGS = {  # what a mapping has that says nothing else
    "sqs": {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": []},
    "dynamodb": {
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "ParallelizationFactor": 1,
        "TumblingWindowInSeconds": 0,
    },
}
OPTIONS = {"sqs": ("FilterCriteria", "ScalingConfig"), "dynamodb": ("FilterCriteria",)}
OF_STREAMS = (
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
)
LEAST_AGE_S = 60  # of MaximumRecordAgeInSeconds, though the range is wider: the same page says so
# Members that ask for what is not here, and what they ask for.
ABSENT = {
    "ProvisionedPollerConfig": "Provisioned mode is",
    "KMSKeyArn": "A key of your own for filters is",
    "MetricsConfig": "Metrics of event source mappings are",
    "LoggingConfig": "The log of an event source mapping is",
    "TumblingWindowInSeconds": "A tumbling window is",
    "SelfManagedEventSource": "Apache Kafka is",
    "SelfManagedKafkaEventSourceConfig": "Apache Kafka is",
    "AmazonManagedKafkaEventSourceConfig": "Amazon MSK is",
    "DocumentDBEventSourceConfig": "Amazon DocumentDB is",
    "Topics": "Apache Kafka is",
    "Queues": "Amazon MQ is",
    "SourceAccessConfigurations": "A source with credentials of its own is",
}
ABSENT_SOURCES = {
    "kinesis": "Kinesis is",
    "kafka": "Amazon MSK is",
    "mq": "Amazon MQ is",
    "rds": "Amazon DocumentDB is",
}
INTERNAL = ("FunctionName", "Enabled", "Qualifier", "Tags")
IN_USE = "Cannot {} the event source mapping because it is in use."
MISSING_QUEUE = (
    "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
    "SQS Error Message: The specified queue does not exist."
)


def install(roles: ExecutionRoles, _tell: Tell) -> None:
    """Let MiniStack keep mappings as Lambda does, asking the roles of functions. Call once, before it serves."""
    mappings = _Mappings(roles)
    lambda_svc._create_esm = mappings.create
    lambda_svc._update_esm = mappings.update
    lambda_svc._delete_esm = mappings.delete
    lambda_svc._get_esm = mappings.get
    lambda_svc._esm_response = _configuration


def each() -> Iterator[tuple[str, str, Record]]:
    """Account, region and record of every event source mapping, whatever its source."""
    yield from lambda_svc._iter_all_esms()


def polls(mapping: Record) -> bool:
    """Whether Lambda takes from its source now."""
    return mapping["State"] in ("Enabled", "Updating") and bool(mapping.get("Enabled", True))


def edge(mapping: Record) -> dict[str, str]:
    """From where to where it hands on batches, and which one it is."""
    return {"from": mapping["EventSourceArn"], "to": mapping["FunctionArn"], "mapping": mapping["UUID"]}


def ended(mapping: Record, worked: bool) -> None:
    """Note how the last batch of a stream ended; of a queue AWS does not tell."""
    if "StartingPosition" in mapping:
        mapping["LastProcessingResult"] = "OK" if worked else "PROBLEM: Function call failed"


class _Mappings:
    """The operations on event source mappings; they answer as MiniStack's do, which they replace."""

    def __init__(self, roles: ExecutionRoles) -> None:
        self._roles = roles

    def create(self, data: Record) -> Answer:
        arn = data.get("EventSourceArn") or ""
        service = _service(arn)
        refused = (
            absent.member_of(ABSENT, data)
            or _source(arn)
            or _starting_position(data, service)
            or _settings(data, service)
        )
        if refused:
            return refused
        name, qualifier, error = lambda_svc._resolve_existing_esm_function(data.get("FunctionName", ""))
        if error:
            missing: Answer = error
            return missing
        if (
            refused := _unreachable(arn, name, qualifier)
            or self._unsendable(name, data)
            or _conflict(arn, name, qualifier)
        ):
            return refused
        mapping = _new(data, service, name, qualifier)
        lambda_svc._esms[mapping["UUID"]] = mapping
        lambda_svc._init_stream_position(mapping["UUID"], arn, mapping.get("StartingPosition"))
        lambda_svc._ensure_poller()
        if mapping["Enabled"]:
            _pass_through("Creating", mapping)
        return _answer(mapping, 202)

    def update(self, esm_id: str, data: Record) -> Answer:
        mapping = lambda_svc._esms.get(esm_id)
        if not mapping:
            return _not_found()
        arn = mapping["EventSourceArn"]
        service = _service(arn)
        wanted = {**mapping, **data, "FunctionName": data.get("FunctionName") or _reference(mapping)}
        refused = absent.member_of(ABSENT, data) or _settings(wanted, service, data)
        if refused:
            return refused
        name, qualifier, error = lambda_svc._resolve_existing_esm_function(wanted["FunctionName"])
        if error and "FunctionName" in data:
            missing: Answer = error
            return missing
        if "FunctionName" in data and (refused := self._moved(mapping, arn, name, qualifier)):
            return refused
        if refused := not error and self._unsendable(name, data) or None:
            return refused
        if mapping["State"] not in ("Enabled", "Disabled"):
            return _in_use("update")
        if "FunctionName" in data:
            arn_of_function = lambda_svc._func_arn(name) + (f":{qualifier}" if qualifier else "")
            mapping |= {"FunctionName": name, "Qualifier": qualifier, "FunctionArn": arn_of_function}
        _set(mapping, data, service)
        mapping["LastModified"] = time.time()
        enabled = data.get("Enabled", mapping["Enabled"])
        state = "Updating" if enabled == mapping["Enabled"] else "Enabling" if enabled else "Disabling"
        mapping["Enabled"] = enabled
        _pass_through(state, mapping)
        return _answer(mapping, 202)

    def delete(self, esm_id: str) -> Answer:
        mapping = lambda_svc._esms.get(esm_id)
        if not mapping:
            return _not_found()
        if mapping["State"] not in ("Creating", "Enabled", "Disabled"):
            return _in_use("delete")
        key = responses.get_account_id(), responses.get_region(), esm_id
        mapping["Enabled"] = False
        lambda_svc._release_esm_poll_state(esm_id)
        _end(key, mapping)
        return _answer(mapping, 202)

    def get(self, esm_id: str) -> Answer:
        mapping = lambda_svc._esms.get(esm_id)
        return _answer(mapping, 200) if mapping else _not_found()

    def _moved(self, mapping: Record, arn: str, name: str, qualifier: str | None) -> Answer | None:
        """Lambda's refusal of another function for a mapping."""
        reference = f"{name}:{qualifier}" if qualifier else name
        return (
            self._roles.unreadable({"EventSourceArn": arn, "FunctionName": reference})
            or _unreachable(arn, name, qualifier)
            or _conflict(arn, name, qualifier, but=mapping["UUID"])
        )

    def _unsendable(self, name: str, data: Record) -> Answer | None:
        target = ((data.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        return (
            self._roles.unsendable(name, {"DestinationConfig": {"OnFailure": {"Destination": target}}})
            if target
            else None
        )


def resume() -> None:
    """Let the mappings that were restored come to where they were going, and be polled."""
    for key, mapping in lambda_svc._esms.all_items():
        if mapping["State"] == "Deleting":
            _end(key, mapping)
        elif mapping["State"] not in ("Enabled", "Disabled"):
            _pass_through(mapping["State"], mapping)
    if lambda_svc._esms.has_any():
        lambda_svc._ensure_poller()


def _end(key: tuple[str, ...], mapping: Record) -> None:
    """Delete a mapping, which takes a moment."""
    _pass_through("Deleting", mapping, lambda: lambda_svc._esms._data.pop(key, None))


def _pass_through(state: str, mapping: Record, ends: Any = None) -> None:
    """Let the mapping be in a state for a moment, and then where that leads."""

    def settle() -> None:
        if mapping["State"] != state:
            return  # it is being deleted
        if ends:
            ends()
        else:
            mapping["State"] = "Enabled" if mapping["Enabled"] else "Disabled"
        lambda_svc._esm_wake.set()

    mapping["State"] = state
    timer = threading.Timer(states.TRANSITION_S, settle)
    timer.daemon = True
    timer.start()


def _new(data: Record, service: str, name: str, qualifier: str | None) -> Record:
    """A mapping as the request wants it, which takes nothing yet."""
    mapping = {
        "UUID": str(uuid.uuid4()),
        "EventSourceArn": data["EventSourceArn"],
        "FunctionName": name,
        "Qualifier": qualifier,
        "FunctionArn": lambda_svc._func_arn(name) + (f":{qualifier}" if qualifier else ""),
        "LastModified": time.time(),
        "Enabled": data.get("Enabled", True),
        "State": "Disabled",
        "StateTransitionReason": "USER_INITIATED" if service == "sqs" else "User action",
        **({} if service == "sqs" else {"LastProcessingResult": "No records processed"}),
        **({"StartingPosition": data["StartingPosition"]} if "StartingPosition" in data else {}),
        **({"Tags": dict(data["Tags"])} if data.get("Tags") else {}),
        **SETTINGS[service],
    }
    _set(mapping, data, service)
    return mapping


def _reference(mapping: Record) -> str:
    name, qualifier = mapping["FunctionName"], mapping.get("Qualifier")
    return f"{name}:{qualifier}" if qualifier else name


def _set(mapping: Record, data: Record, service: str) -> None:
    """Take the settings of a request into the mapping; of what it may have or not, an empty one takes it away."""
    mapping |= {member: data[member] for member in SETTINGS[service] if data.get(member) is not None}
    for member in OPTIONS[service]:
        if member in data:
            mapping.pop(member, None)
            if any((data[member] or {}).values()):
                mapping[member] = data[member]


def _configuration(mapping: Record) -> Record:
    """A mapping as Lambda tells of it."""
    told = {member: value for member, value in mapping.items() if member not in INTERNAL}
    return {**told, "EventSourceMappingArn": lambda_svc._esm_arn(mapping["UUID"])}


def _answer(mapping: Record, status: int) -> Answer:
    answer: Answer = responses.json_response(_configuration(mapping), status)
    return answer


def _not_found() -> Answer:
    answer: Answer = responses.error_response_json(
        "ResourceNotFoundException", "The resource you requested does not exist.", 404, {"Type": "User"}
    )
    return answer


def _in_use(verb: str) -> Answer:
    answer: Answer = responses.error_response_json("ResourceInUseException", IN_USE.format(verb), 400, {"Type": "User"})
    return answer


def _service(arn: str) -> str:
    return (arn.split(":") + ["", "", ""])[2]


def _source(arn: str) -> Answer | None:
    """Lambda's refusal of what is no event source."""
    if not arn:
        return invalid_parameter("Unrecognized event source.")
    service = _service(arn)
    if what := ABSENT_SOURCES.get(service):
        return invalid_parameter(
            f"{what} not in the embedded AWS; a queue of SQS or a stream of DynamoDB can be mapped."
        )
    if service not in SETTINGS or (service == "dynamodb" and "/stream/" not in arn):
        return invalid_parameter(
            f"Unrecognized event source, must be kinesis, dynamodb stream or sqs. Unsupported source arn : {arn}"
        )
    return None


def _starting_position(data: Record, service: str) -> Answer | None:
    position = data.get("StartingPosition")
    if service == "sqs":
        return invalid_parameter("StartingPosition is not valid for SQS event sources.") if position else None
    if position is None:
        return invalid_parameter(f"{detected(violation(None, 'startingPosition', 'not be null'))}.")
    if position == "AT_TIMESTAMP":  # that is for Kinesis alone
        return invalid_parameter(f"Unsupported starting position for arn type: {data['EventSourceArn']}")
    return None


def _settings(wanted: Record, service: str, given: Record | None = None) -> Answer | None:
    """Lambda's refusal of settings that do not fit together, or not this source."""
    foreign = OF_STREAMS if service == "sqs" else ("ScalingConfig",)
    if found := next((member for member in foreign if (given or wanted).get(member)), None):
        return invalid_parameter(f"Unsupported '{wire(found)}' parameter for given event source mapping type.")
    window = wanted.get("MaximumBatchingWindowInSeconds") or 0
    if service == "sqs" and (wanted.get("BatchSize") or 10) > 10 and window == 0:
        return invalid_parameter(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    if service == "sqs" and window and wanted["EventSourceArn"].endswith(".fifo"):
        return invalid_parameter("Batching window is not supported for FIFO queues")
    if (
        -1 < (wanted.get("MaximumRecordAgeInSeconds") or -1) < LEAST_AGE_S
        or wanted.get("MaximumRecordAgeInSeconds") == 0
    ):
        return invalid_parameter(f"MaximumRecordAgeInSeconds must be -1, or {LEAST_AGE_S} or more.")
    refused = event_filter.refusal(wanted.get("FilterCriteria"))
    return invalid_parameter(refused) if refused else _destinations(wanted.get("DestinationConfig") or {})


def _destinations(config: Record) -> Answer | None:
    """Lambda's refusal of a destination of what was done, and of one that takes no failures of a stream."""
    done, failed = ((config.get(name) or {}).get("Destination") for name in ("OnSuccess", "OnFailure"))
    if done or (failed and _service(failed) not in ("sqs", "sns", "s3")):
        told = ", ".join(
            f"on{name}={f'On{name}(destination={arn})' if arn else 'null'}"
            for name, arn in (("Success", done), ("Failure", failed))
        )
        return invalid_parameter(f"The provided destination config DestinationConfig({told}) is invalid.")
    if failed and _service(failed) == "s3":
        return invalid_parameter("A bucket as a destination is not in the embedded AWS; a queue or a topic can be one.")
    return None


def _unreachable(arn: str, name: str, qualifier: str | None) -> Answer | None:
    """Lambda's refusal of a source that is not there, or of a queue that shows its messages again too soon."""
    if _service(arn) == "dynamodb":
        return None if _has_stream(arn) else invalid_parameter(f"Stream not found: {arn}")
    queue = sqs.queue_named(arn)
    if queue is None:
        return invalid_parameter(MISSING_QUEUE)
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    visible, timeout = int(queue["attributes"]["VisibilityTimeout"]), config["Timeout"]
    if visible < timeout:
        return invalid_parameter(
            f"Queue visibility timeout: {visible} seconds is less than Function timeout: {timeout} seconds"
        )
    return None


def _has_stream(arn: str) -> bool:
    table = dynamodb._tables.get(arn.partition("/stream/")[0].rpartition("/")[2]) or {}
    enabled = (table.get("StreamSpecification") or {}).get("StreamEnabled")
    return bool(enabled and table.get("LatestStreamArn") == arn)


def _conflict(arn: str, name: str, qualifier: str | None, but: str = "") -> Answer | None:
    """Lambda's refusal of a second mapping from one source to one function."""
    wanted = arn, name, qualifier
    for _, _, mapping in each():
        if (mapping["EventSourceArn"], mapping["FunctionName"], mapping.get("Qualifier")) != wanted:
            continue
        if mapping["UUID"] == but:
            continue
        what = "An event source mapping with SQS arn" if _service(arn) == "sqs" else "The event source arn"
        provided = "" if _service(arn) == "sqs" else "provided mapping "
        refusal: Answer = responses.error_response_json(
            "ResourceConflictException",
            f'{what} (" {arn} ") and function (" {name} ") {provided}already exists. '
            f"Please update or delete the existing mapping with UUID {mapping['UUID']}",
            409,
            {"Type": "User"},
        )
        return refusal
    return None
