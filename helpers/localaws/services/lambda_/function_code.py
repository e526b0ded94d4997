"""The code that a function or layer is given: what AWS refuses of it, and an update that is only tried (DryRun).

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html. S3's own words are in Lambda's refusal of code that
is not there: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
"""

import base64
import binascii
import hashlib

from ministack.core import responses
from ministack.services import lambda_svc, s3

from ..contract import Contract
from ..shapes import Answer, Record
from .errors import invalid_parameter

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (lambda_svc, "_check_revision"): ("current", "data"),
    (lambda_svc, "_fetch_code_from_s3"): ("bucket", "key", "version_id"),
    (lambda_svc, "_functions"): None,
    (lambda_svc, "_reject_unreadable_zip"): ("zip_data",),
    (lambda_svc, "_validate_total_unzipped_size"): ("code_zip", "layers"),
    (responses, "json_response"): ("data", "status", "content_type"),
    (s3, "_buckets"): None,
}

NO_SOURCE = "Please provide a source for function code."
TWO_SOURCES = "Please do not provide other FunctionCode parameters when providing a ZipFile."
NO_RUNTIME = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again."


def created(members: Record) -> Answer | None:
    """AWS's refusal of the code of a new function, or of a function without what runs it."""
    if members.get("PackageType", "Zip") == "Zip" and not (members.get("Runtime") and members.get("Handler")):
        return invalid_parameter(NO_RUNTIME)
    return _refusal(members["Code"])


def updated(members: Record) -> Answer | None:
    """AWS's refusal of new code, or its answer to an update that is only tried."""
    func = lambda_svc._functions.get(members["FunctionName"])
    if func is None:
        return None  # MiniStack says so
    refused: Answer | None = lambda_svc._check_revision(func["config"], members) or _refusal(members)
    if refused or not (members.get("DryRun") or "Architectures" in members):
        return refused
    code = _zip_of(members)
    refused = _unusable(members) or lambda_svc._validate_total_unzipped_size(code, func["config"].get("Layers"))
    if refused or not members.get("DryRun"):
        return refused  # MiniStack has another architecture before it looks at the code
    changed = {"CodeSize": len(code), "CodeSha256": base64.b64encode(hashlib.sha256(code).digest()).decode()}
    changed |= {name: members[name] for name in ("Architectures",) if name in members}
    answer: Answer = responses.json_response({**func["config"], **changed}, 200)
    return answer


def of_layer(members: Record) -> Answer | None:
    """AWS's refusal of the content of a layer. Nothing is published, and no number used up."""
    return _refusal(members["Content"]) or _unusable(members["Content"])


def _refusal(code: Record) -> Answer | None:
    """AWS's refusal of a source of code: none, two, or one that is not there. What is no zip is refused later."""
    if "ZipFile" in code and {"S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri"} & code.keys():
        return invalid_parameter(TWO_SOURCES)
    if "ZipFile" not in code and not ("S3Bucket" in code and "S3Key" in code):
        return invalid_parameter(NO_SOURCE)
    try:
        return _absent(code)
    except binascii.Error:
        return invalid_parameter(UNREADABLE)


def _absent(code: Record) -> Answer | None:
    if "ZipFile" in code:
        base64.b64decode(code["ZipFile"], validate=True)
        return None
    bucket, key, version = code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion")
    if bucket not in s3._buckets:
        return _from_s3("NoSuchBucket", "The specified bucket does not exist")
    if lambda_svc._fetch_code_from_s3(bucket, key, version) is not None:
        return None
    if version:
        return _from_s3("NoSuchVersion", "The specified version does not exist.")
    return _from_s3("NoSuchKey", "The specified key does not exist.")


def _from_s3(code: str, message: str) -> Answer:
    return invalid_parameter(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")


def _unusable(code: Record) -> Answer | None:
    refused: Answer | None = lambda_svc._reject_unreadable_zip(_zip_of(code))
    return refused


def _zip_of(code: Record) -> bytes:
    if "ZipFile" in code:
        return base64.b64decode(code["ZipFile"])
    content: bytes = lambda_svc._fetch_code_from_s3(code["S3Bucket"], code["S3Key"], code.get("S3ObjectVersion"))
    return content
