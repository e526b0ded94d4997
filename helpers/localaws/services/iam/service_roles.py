"""Roles that are handed to Scheduler, Step Functions and EventBridge: who may hand them over, and what they allow then.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html,
https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html. A schedule asks its role in
lambda_/resource_policy.py, beside the rules, which ask the policy of their target.
"""

import contextvars
import re
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import eventbridge, lambda_svc, scheduler, stepfunctions

from ..contract import Contract
from ..eventbridge import scheduler as schedules
from ..shapes import Answer, Record
from . import refusal
from .evaluation import Iam
from .sts import session_arn

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (eventbridge, "_put_targets"): ("data",),
    (lambda_svc, "_get_func_record_for_ref"): ("function_ref",),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (responses, "get_account_id"): (),
    (responses, "get_region"): (),
    (scheduler, "_create_schedule"): ("name", "body"),
    (scheduler, "_error"): ("status", "code", "message"),
    (scheduler, "_update_schedule"): ("name", "body"),
    (stepfunctions, "_ExecutionError"): None,
    (stepfunctions, "_call_lambda"): ("func_ref", "event"),
    (stepfunctions, "_create_state_machine"): ("data",),
    (stepfunctions, "_execute_task"): ("state_def", "raw_input", "execution", "ctx"),
    (stepfunctions, "_invoke_resource"): ("resource", "input_data"),
    (stepfunctions, "_state_machines"): None,
    (stepfunctions, "_update_state_machine"): ("data",),
}

INTEGRATION = re.compile(r"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)")
INVOKE = "lambda:InvokeFunction"
UNTRUSTING = {
    "scheduler": "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    "states": "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
    "the provided role.",
}

# The role of the state machine whose task runs here, and the name of its execution
_acting: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar("acting", default=None)


class ServiceRoles:
    """Asks IAM when a role is handed to a service, and when a state machine acts in it."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam

    def install(self) -> None:
        """Let MiniStack's services ask. Call once, before it serves, and after what else refuses a schedule."""
        scheduler._create_schedule = self._scheduling(scheduler._create_schedule)
        scheduler._update_schedule = self._scheduling(scheduler._update_schedule)
        execute, call, integrate = (
            stepfunctions._execute_task,
            stepfunctions._call_lambda,
            stepfunctions._invoke_resource,
        )
        put_targets = eventbridge._put_targets

        def executed(state_def: Record, raw_input: Any, execution: Record, ctx: Any) -> Any:
            machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
            token = _acting.set((machine.get("roleArn", ""), execution["executionArn"].rpartition(":")[2]))
            try:
                return execute(state_def, raw_input, execution, ctx)
            finally:
                _acting.reset(token)

        def called(func_ref: str, event: Any) -> Any:
            _, config, _ = lambda_svc._get_func_record_for_ref(func_ref)
            if config:
                self._ask(INVOKE, config["FunctionArn"], "Lambda.AWSLambdaException")
            return call(func_ref, event)

        def integrated(resource: str, input_data: Any) -> Any:
            found = INTEGRATION.match(resource)
            if found and found[1] != "lambda":
                action = f"{found[1].lower()}:{found[2][:1].upper()}{found[2][1:]}"
                service = f"{found[1][:1].upper()}{found[1][1:]}"
                self._ask(action, _arn_in(input_data), f"{service}.{service}Exception")
            return integrate(resource, input_data)

        def put(data: Record) -> Answer:
            for target in data.get("Targets") or []:
                if refused := target.get("RoleArn") and self._passing(target["RoleArn"], "events"):
                    return _denied(refused)
            answer: Answer = put_targets(data)
            return answer

        def machine(change: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
            def changed(data: Record) -> Answer:
                role = data.get("roleArn")
                if role is not None and not re.fullmatch(schedules.ROLE, role):
                    return _refused("InvalidArn", f"Invalid Role Arn: '{role}'")
                if role and (refused := self._passing(role, "states")):
                    return _denied(refused)
                if role and not self._trusts(role, "states"):
                    return _denied(UNTRUSTING["states"])
                return change(data)

            return changed

        stepfunctions._execute_task = executed
        stepfunctions._call_lambda = called
        stepfunctions._invoke_resource = integrated
        stepfunctions._create_state_machine = machine(stepfunctions._create_state_machine)
        stepfunctions._update_state_machine = machine(stepfunctions._update_state_machine)
        eventbridge._put_targets = put

    def _scheduling(self, put: Callable[[str, Record], Answer]) -> Callable[[str, Record], Answer]:
        def asked(name: str, body: Record) -> Answer:
            role = (body.get("Target") or {}).get("RoleArn")
            answer: Answer
            if role and not re.fullmatch(schedules.ROLE, role):
                answer = put(name, body)  # which says so
            elif role and (refused := self._passing(role, "scheduler")):
                answer = scheduler._error(403, "AccessDeniedException", refused)
            elif role and not self._trusts(role, "scheduler"):
                answer = scheduler._error(400, "ValidationException", UNTRUSTING["scheduler"])
            else:
                answer = put(name, body)
            return answer

        return asked

    def _passing(self, role: str, service: str) -> str | None:
        return self._iam.may_pass(role, f"{service}.amazonaws.com", responses.get_region())

    def _trusts(self, role: str, service: str) -> bool:
        kind = {"scheduler": "schedule/default/any", "states": "stateMachine:any"}[service]
        source = f"arn:aws:{service}:{responses.get_region()}:{responses.get_account_id()}:{kind}"
        return self._iam.trusts(role, f"{service}.amazonaws.com", source)

    def _ask(self, action: str, resource: str, error: str) -> None:
        """Raise the error of a task whose state machine may not do this."""
        acting = _acting.get()
        if acting is None or self._iam.role_may(*acting, action, resource):
            return
        raise stepfunctions._ExecutionError(error, refusal.sentence(session_arn(*acting), action, resource))


def _denied(message: str) -> Answer:
    return _refused("AccessDeniedException", message)


def _refused(code: str, message: str) -> Answer:
    refused: Answer = responses.error_response_json(code, message, 400)
    return refused


def _arn_in(parameters: Any) -> str:
    """The ARN of what a call is on, as far as its parameters tell; else of everything."""
    given = parameters if isinstance(parameters, dict) else {}
    here = f"{responses.get_region()}:{responses.get_account_id()}"
    if url := given.get("QueueUrl"):
        return f"arn:aws:sqs:{here}:{str(url).rpartition('/')[2]}"
    if table := given.get("TableName"):
        return str(table) if str(table).startswith("arn:") else f"arn:aws:dynamodb:{here}:table/{table}"
    if bucket := given.get("Bucket"):
        return f"arn:aws:s3:::{bucket}" + (f"/{given['Key']}" if given.get("Key") else "")
    return str(given.get("TopicArn") or given.get("StateMachineArn") or "*")
