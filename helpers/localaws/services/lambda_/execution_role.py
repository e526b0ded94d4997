"""What Lambda does in the role of a function: writes its log, reads its queues and streams, sends what failed.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html. Lambda asks when a function, mapping or
destination is made, refuses in its own words, and asks again each time it acts.
"""

from collections.abc import Iterator
from typing import Any

from ministack.core import responses
from ministack.services import lambda_svc

from ...data_plane.function import Function
from ...data_plane.log_stream import WriteLog
from ..contract import Contract
from ..iam.evaluation import Iam
from ..logs import store
from ..shapes import Answer, Record
from .errors import invalid_parameter

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_create_esm"): ("data",),
    (lambda_svc, "_create_function"): ("data",),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_get_func_record_for_qualifier"): ("name", "qualifier"),
    (lambda_svc, "_put_event_invoke_config"): ("func_name", "qualifier", "data"),
    (lambda_svc, "_resolve_existing_esm_function"): ("function_ref",),
    (lambda_svc, "_update_config"): ("name", "data"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
}

MAX_KNOWN = 10_000  # streams of which is known whether they may be written
SERVICE = "lambda.amazonaws.com"
READS = {  # of an event source
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    "dynamodb": ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"),
}
SENDS = {  # to a destination or a dead-letter target, and the name of the service in Lambda's refusal
    "sqs": ("SendMessage", "SQS"),
    "sns": ("Publish", "SNS"),
    "lambda": ("InvokeFunction", "Lambda"),
    "events": ("PutEvents", "EventBridge"),
}


class ExecutionRoles:
    """Asks the role of a function before Lambda acts in it; `write_log` writes what a role lets it log."""

    def __init__(self, iam: Iam, write_log: WriteLog) -> None:
        self._iam, self._write_log = iam, write_log
        self._may_log: dict[tuple[str, str], int] = {}  # by role and log stream, and after how many changes of IAM

    def install(self) -> None:
        """Let MiniStack's Lambda ask. Call once, before it serves, and after what else refuses a function."""
        create, update = lambda_svc._create_function, lambda_svc._update_config
        map_source, configure = lambda_svc._create_esm, lambda_svc._put_event_invoke_config

        def create_function(data: Record) -> Answer:
            refused = self._unusable(data.get("Role", ""), data.get("FunctionName", ""), data)
            answer: Answer = refused or create(data)
            return answer

        def update_configuration(name: str, data: Record) -> Answer:
            role = data.get("Role") or (lambda_svc._functions.get(name) or {}).get("config", {}).get("Role")
            refused = self._unusable(role, name, data) if role and {"Role", "DeadLetterConfig"} & set(data) else None
            answer: Answer = refused or update(name, data)
            return answer

        def create_mapping(data: Record) -> Answer:
            answer: Answer = self.unreadable(data) or map_source(data)
            return answer

        def put_event_invoke_config(func_name: str, qualifier: str | None, data: Record) -> Answer:
            answer: Answer = self.unsendable(func_name, data) or configure(func_name, qualifier, data)
            return answer

        lambda_svc._create_function = create_function
        lambda_svc._update_config = update_configuration
        lambda_svc._create_esm = create_mapping
        lambda_svc._put_event_invoke_config = put_event_invoke_config

    def write_log(self, function: Function, stream_name: str, events: list[tuple[int, str]]) -> None:
        """Write to the function's log what its role lets it write; the rest is nowhere, as on AWS."""
        key, is_there = (function.role, stream_name), store.has_stream(function.log_group, stream_name)
        if not is_there or self._may_log.get(key) != self._iam.changes:
            self._may_log.pop(key, None)
            if not self._may_write(function, stream_name):
                return
            if len(self._may_log) > MAX_KNOWN:
                self._may_log.clear()
            self._may_log[key] = self._iam.changes
        self._write_log(function, stream_name, events)

    def _may_write(self, function: Function, stream_name: str) -> bool:
        group = f"arn:aws:logs:{function.region}:{function.account}:log-group:{function.log_group}:log-stream:"
        needed = [("logs:PutLogEvents", group + stream_name)]
        if not store.has_stream(function.log_group, stream_name):
            needed.append(("logs:CreateLogStream", group + stream_name))
            if not store.has_group(function.log_group):
                needed.append(("logs:CreateLogGroup", group))
        return all(self._iam.role_may(function.role, function.name, *each) for each in needed)

    def may_read(self, role: str, function_name: str, source: str) -> bool:
        """Whether Lambda may take messages or records from an event source for a function."""
        return next(self._denied_reads(role, function_name, source), None) is None

    def may_send(self, role: str, function_name: str, target: str) -> bool:
        """Whether Lambda may send the outcome of an asynchronous invocation to a destination or dead-letter target."""
        service = target.split(":")[2]
        return self._iam.role_may(role, function_name, f"{service}:{SENDS[service][0]}", target)

    def _unusable(self, role: str, name: str, data: Record) -> Answer | None:
        """Lambda's refusal of a role that it may not assume, or that cannot reach the dead-letter target."""
        if message := self._iam.may_pass(role, SERVICE, responses.get_region()):
            refused: Answer = responses.error_response_json("AccessDeniedException", message, 403)
            return refused
        here = f"{responses.get_region()}:{responses.get_account_id()}"
        if not self._iam.trusts(role, SERVICE, f"arn:aws:lambda:{here}:function:{name}"):
            return invalid_parameter("The role defined for the function cannot be assumed by Lambda.")
        target = (data.get("DeadLetterConfig") or {}).get("TargetArn")
        return self._unsent(role, name, [target]) if target else None

    def unreadable(self, data: Record) -> Answer | None:
        """Lambda's refusal of an event source that the function's role may not read."""
        source = data.get("EventSourceArn", "")
        name, qualifier, error = lambda_svc._resolve_existing_esm_function(data.get("FunctionName", ""))
        if error or source.count(":") < 5:
            return None  # MiniStack says what is wrong
        _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
        denied = next(self._denied_reads(config["Role"], name, source), None)
        if denied is None:
            return None
        if source.split(":")[2] == "sqs":
            return invalid_parameter(f"The provided execution role does not have permissions to call {denied} on SQS")
        return invalid_parameter(
            f"Cannot access stream {source}. Please ensure the role can perform the GetRecords, GetShardIterator, "
            "DescribeStream, and ListStreams Actions on your stream in IAM."
        )

    def _denied_reads(self, role: str, name: str, source: str) -> Iterator[str]:
        service = source.split(":")[2]
        for action in READS.get(service, ()):
            resource = "*" if action == "ListStreams" else source
            if not self._iam.role_may(role, name, f"{service}:{action}", resource):
                yield action

    def unsendable(self, name: str, data: Record) -> Answer | None:
        """Lambda's refusal of a destination that the function's role may not send to."""
        config = (lambda_svc._functions.get(name) or {}).get("config")
        if config is None:
            return None  # MiniStack says so
        destinations = (data.get("DestinationConfig") or {}).values()
        return self._unsent(
            config["Role"], name, [each["Destination"] for each in destinations if "Destination" in each]
        )

    def _unsent(self, role: str, name: str, targets: list[Any]) -> Answer | None:
        for target in targets:
            action, service = SENDS.get((target.split(":") + ["", "", ""])[2], ("", ""))
            if action and not self.may_send(role, name, target):
                return invalid_parameter(
                    f"The provided execution role does not have permissions to call {action} on {service}"
                )
        return None
