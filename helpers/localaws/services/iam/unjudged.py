"""What MiniStack does for its caller without asking what the caller may do: for those alone who may do everything.

CloudFormation makes whatever a template names, with the caller's permissions on AWS; a pipe, an integration of a REST
API and a state that is tested act in a role, and Lambda reads code for who asks. MiniStack asks neither the caller nor
the role, so that each of these would make an administrator of everybody who may use it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html
"""

from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import apigateway_v1, cloudformation, lambda_svc, pipes, stepfunctions
from ministack.services.cloudformation import helpers as cloudformation_helpers

from ..contract import Contract
from ..shapes import Answer, Record
from .evaluation import Iam
from .request import UNKNOWN

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (apigateway_v1, "_put_integration"): ("api_id", "resource_id", "http_method", "data"),
    (apigateway_v1, "_update_integration"): ("api_id", "resource_id", "http_method", "data"),
    (cloudformation, "_ACTION_HANDLERS"): None,
    (cloudformation_helpers, "_error"): ("code", "message", "status"),
    (lambda_svc, "_create_function"): ("data",),
    (lambda_svc, "_publish_layer_version"): ("layer_name", "data"),
    (lambda_svc, "_update_code"): ("name", "data"),
    (pipes, "_create_pipe"): ("name", "body"),
    (pipes, "_update_pipe"): ("name", "body"),
    (responses, "error_response_json"): ("code", "message", "status", "extra", "message_key", "content_type"),
    (stepfunctions, "_test_state"): ("data",),
}

LOOKS = ("Describe", "List", "Get", "Validate", "Detect")
NO_CODE = (
    "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for "
    "{bucket}/{key}. S3 Error Code: AccessDenied. S3 Error Message: Access Denied"
)


class Unjudged:
    """Asks whether the caller may do everything, before MiniStack does what it does not judge."""

    def __init__(self, iam: Iam) -> None:
        self._iam = iam

    def install(self) -> None:
        """Let MiniStack ask. Call once, before it serves, and after what else refuses a function."""
        handlers = cloudformation._ACTION_HANDLERS
        for action in [each for each in handlers if not each.startswith(LOOKS)]:
            handlers[action] = self._limited(
                handlers[action], lambda why: cloudformation_helpers._error("AccessDenied", why, 403)
            )
        limited, readable = self._limited, self._readable
        apigateway_v1._put_integration = limited(apigateway_v1._put_integration, _denied)
        apigateway_v1._update_integration = limited(apigateway_v1._update_integration, _denied)
        pipes._create_pipe = limited(pipes._create_pipe, _denied)
        pipes._update_pipe = limited(pipes._update_pipe, _denied)
        stepfunctions._test_state = limited(stepfunctions._test_state, _denied)
        lambda_svc._create_function = readable(lambda_svc._create_function, "Code")
        lambda_svc._update_code = readable(lambda_svc._update_code, "")
        lambda_svc._publish_layer_version = readable(lambda_svc._publish_layer_version, "Content")

    def _limited(self, change: Callable[..., Answer], denied: Callable[[str], Answer]) -> Callable[..., Answer]:
        """`change`, for who may change what everybody may do, and thereby may do everything."""

        def asked(*arguments: Any) -> Answer:
            why = self._iam.refusal(f"iam:{UNKNOWN}", "*")
            return denied(why.replace(UNKNOWN, "*")) if why else change(*arguments)

        return asked

    def _readable(self, change: Callable[..., Answer], place: str) -> Callable[..., Answer]:
        """`change`, which reads code of S3 that the caller may read alone."""

        def asked(*arguments: Any) -> Answer:
            data: Record = arguments[-1]
            code = (data.get(place) if place else data) or {}
            bucket, key = code.get("S3Bucket"), code.get("S3Key")
            if bucket and key and self._iam.refusal("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
                return _denied(NO_CODE.format(bucket=bucket, key=key))
            return change(*arguments)

        return asked


def _denied(why: str) -> Answer:
    refused: Answer = responses.error_response_json("AccessDeniedException", why, 403)
    return refused
