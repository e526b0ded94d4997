"""What fails a CloudFormation stack, in its words: the refusal of a resource by the API that makes it.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
"""

import json
import uuid

from ..shapes import Answer, Record


def done(answer: Answer, service: str) -> Record:
    """What an API has answered; raises what fails the stack where it has refused."""
    status, _, body = answer
    if status >= 400:
        raise failed(answer, service)
    told: Record = json.loads(body)
    return told


def failed(refused: Answer, service: str) -> ValueError:
    """The failure of a stack by a refusal of this service's API."""
    status, _, body = refused
    told = json.loads(body)
    said = told.get("message") or told.get("Message")
    return failure(f"{said} (Service: {service}, Status Code: {status}, Request ID: {uuid.uuid4()})")


def failure(message: str, code: str = "InvalidRequest") -> ValueError:
    return ValueError(
        f'Resource handler returned message: "{message}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'
    )
