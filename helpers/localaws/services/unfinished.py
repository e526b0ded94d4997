"""What was under way when the server ended and cannot go on: it has failed, and says why.

AWS would go on with these: executions of Step Functions, and stacks of CloudFormation.
"""

from datetime import UTC, datetime

from ministack.services import cloudformation, stepfunctions

from .contract import Contract

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {(cloudformation, "_stacks"): None, (stepfunctions, "_executions"): None}

REASON = "The embedded AWS was stopped meanwhile."
STACK_UNDER_WAY = "_IN_PROGRESS"
WAITS_FOR_ITS_USER = "REVIEW_IN_PROGRESS"


def end() -> None:
    """Let all of it fail. Call once, when everything is restored."""
    for _, execution in stepfunctions._executions.all_items():
        if execution.get("status") == "RUNNING":
            stopped = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            execution.update(status="FAILED", stopDate=stopped, error="States.Runtime", cause=REASON)
    for _, stack in cloudformation._stacks.all_items():
        status = stack.get("StackStatus", "")
        if status.endswith(STACK_UNDER_WAY) and status != WAITS_FOR_ITS_USER:
            failed = status.removesuffix(STACK_UNDER_WAY).removesuffix("_COMPLETE_CLEANUP")
            stack.update(StackStatus=f"{failed}_FAILED", StackStatusReason=REASON)
