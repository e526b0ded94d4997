"""What AWS answers in many scenarios alike: configurations, refusals; with the placeholders of answers.py."""

from typing import Any

ARN = "arn:aws:lambda:<region>:<account>:function:<function>"
CREATING = {"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating"}
ACTIVE = {"State": "Active", "LastUpdateStatus": "Successful"}
UPDATING = {
    "State": "Active",
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": "The function is being created.",
    "LastUpdateStatusReasonCode": "Creating",
}
CODE = {"Location": "<url>", "RepositoryType": "S3"}
CHANGED_MEANWHILE = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)


def configuration(state: dict[str, str], **different: Any) -> dict[str, Any]:
    """Of a function that World.function() makes, in a state.

    `different` has members that are otherwise, None for one that is not there.
    """
    members = {
        "Architectures": ["x86_64"],
        "CodeSha256": "<sha256>",
        "CodeSize": "<size>",
        "Description": "",
        "EphemeralStorage": {"Size": 512},
        "FunctionArn": ARN,
        "FunctionName": "<function>",
        "Handler": "app.handler",
        "LastModified": "<date>",
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/<function>"},
        "MemorySize": 128,
        "PackageType": "Zip",
        "RevisionId": "<id:1>",
        "Role": "arn:aws:iam::<account>:role/<role>",
        "Runtime": "python3.13",
        "RuntimeVersionConfig": {"RuntimeVersionArn": "<runtime-version>"},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "Timeout": 3,
        "TracingConfig": {"Mode": "PassThrough"},
        "Version": "$LATEST",
        **state,
        **different,
    }
    return {name: value for name, value in members.items() if value is not None}


def listed(**different: Any) -> dict[str, Any]:
    """The same as a list has it: without a state, and without the version of its runtime."""
    return configuration({}, RuntimeVersionConfig=None, **different)


def refused(code: str, says: Any, status: int = 400, **more: Any) -> dict[str, Any]:
    """A refusal of Lambda's own code."""
    return {"refused": code, "says": says, "status": status, "Type": "User", **more}


def bad_value(says: Any) -> dict[str, Any]:
    return refused("InvalidParameterValueException", says)


def not_found(says: Any) -> dict[str, Any]:
    return refused("ResourceNotFoundException", says, 404)


def conflict(says: Any) -> dict[str, Any]:
    return refused("ResourceConflictException", says, 409)


def changed_meanwhile(says: str = CHANGED_MEANWHILE) -> dict[str, Any]:
    return refused("PreconditionFailedException", says, 412)


def invalid(*constraints: str) -> dict[str, Any]:
    """A refusal by Lambda's model, before its own code sees the request."""
    number = f"{len(constraints)} validation error{'s' * (len(constraints) > 1)} detected: "
    return {"refused": "ValidationException", "says": number + "; ".join(constraints), "status": 400}


def failed(value: str, member: str, constraint: str) -> str:
    return f"Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}"


def pattern(value: str, member: str, expression: str) -> dict[str, Any]:
    return invalid(failed(value, member, f"satisfy regular expression pattern: {expression}"))


def enum(value: str, member: str, *values: str) -> dict[str, Any]:
    return invalid(failed(value, member, f"satisfy enum value set: [{', '.join(values)}]"))
