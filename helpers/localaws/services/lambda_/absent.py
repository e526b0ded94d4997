"""What Lambda's API offers and the embedded AWS does not have: refused by a sentence, whether AWS takes it or not."""

from ministack.core import responses
from ministack.services import lambda_svc

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import function_not_found, invalid_parameter

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_func_arn"): ("name",),
    (lambda_svc, "_function_qualifier_exists"): ("func", "qualifier"),
    (lambda_svc, "_functions"): None,
    (responses, "json_response"): ("data", "status", "content_type"),
}

# Operations, by a part of their names, and what they are about.
OPERATIONS = {
    "CapacityProvider": "Lambda Managed Instances are",
    "CheckpointDurable": "Durable functions are",
    "CodeSigningConfig": "Code signing is",
    "DurableExecution": "Durable functions are",
    "FunctionScalingConfig": "Lambda Managed Instances are",
    "ResourcePolicy": "A policy that is written as a whole is",
}
# Members of a request to make or change a function, and what they are about.
MEMBERS = {
    "CapacityProviderConfig": "Lambda Managed Instances are",
    "AcceleratorConfig": "Lambda Managed Instances are",
    "DurableConfig": "Durable functions are",
    "FileSystemConfigs": "A file system to mount (EFS, S3 Files) is",
}
READS = ("GetFunctionCodeSigningConfig",)  # that have an answer where nothing is there


def operation(name: str) -> Answer | None:
    """The refusal of an operation that is not here."""
    for part, what in OPERATIONS.items():
        if part in name and name not in READS:
            return invalid_parameter(f"{what} not in the embedded AWS, and so {name} is not.")
    return None


def configured(members: Record) -> Answer | None:
    """The refusal of a configuration that asks for what is not here."""
    return member_of(MEMBERS, members)


def member_of(absent: dict[str, str], members: Record) -> Answer | None:
    """The refusal of the first member of a request that asks for what is not here: `absent` says what each is about."""
    return next((_refused(what, member) for member, what in absent.items() if members.get(member)), None)


def asked(members: Record) -> Answer | None:
    """The refusal of what a request to make or change a function asks for and is not here."""
    code = members.get("Code") or members
    if (members.get("VpcConfig") or {}).get("SubnetIds"):
        return _refused("A VPC for functions is", "VpcConfig")
    if members.get("PackageType") == "Image" or code.get("ImageUri") or members.get("ImageConfig"):
        return invalid_parameter("The embedded AWS runs zip packages only; a container image is not possible.")
    if members.get("CodeSigningConfigArn"):
        return _refused("Code signing is", "CodeSigningConfigArn")
    if members.get("RuntimeConfig"):
        return _refused("A runtime that customers manage is", "RuntimeConfig")
    if members.get("PublishTo"):
        return _refused("Lambda Managed Instances are", "PublishTo")
    if code.get("SourceKMSKeyArn"):
        return _refused("A package that is encrypted with a key of one's own is", "SourceKMSKeyArn")
    if code.get("S3ObjectStorageMode") == "REFERENCE":
        return invalid_parameter(
            "The embedded AWS copies code from S3; code by reference is not possible, leave S3ObjectStorageMode out."
        )
    return None


def runtime_management(members: Record) -> Answer:
    """GetRuntimeManagementConfig and its Put: updates come by themselves, with this machine's."""
    name, qualifier = members["FunctionName"], members.get("Qualifier")
    answer: Answer
    if not lambda_svc._function_qualifier_exists(lambda_svc._functions.get(name), qualifier):
        answer = function_not_found(name, qualifier)
    elif members.get("UpdateRuntimeOn", "Auto") != "Auto":
        answer = invalid_parameter(
            "The embedded AWS has one version of each runtime, that of this machine; UpdateRuntimeOn is Auto."
        )
    else:
        told = {"UpdateRuntimeOn": "Auto", "FunctionArn": f"{lambda_svc._func_arn(name)}:{qualifier or '$LATEST'}"}
        answer = responses.json_response(told, 200)
    return answer


def code_signing(members: Record) -> Answer:
    """GetFunctionCodeSigningConfig, of a function that has none."""
    name = members["FunctionName"]
    if name not in lambda_svc._functions:
        return function_not_found(name)
    answer: Answer = responses.json_response({"FunctionName": name}, 200)
    return answer


def _refused(what: str, member: str) -> Answer:
    return invalid_parameter(f"{what} not in the embedded AWS; leave {member} out.")
