"""Which web pages may use a bucket: those that its CORS configuration names.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

from ministack import app as ministack_app
from ministack.services import s3

from ...asgi import Scope
from ..contract import Contract

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (ministack_app, "_s3_cors_target"): ("host", "path", "path_style"),
    (ministack_app, "detect_service"): ("method", "path", "headers", "query_params"),
    (s3, "cors_response_headers"): ("bucket_name", "method", "headers"),
}


def invites(scope: Scope) -> bool:
    """Whether a request of a page, or the question of its browser beforehand, is for a bucket that names the page."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    found = ministack_app._s3_cors_target(headers.get("host", ""), scope["path"])
    if found is None or ministack_app.detect_service(scope["method"], scope["path"], headers, {}) != "s3":
        return False
    method = headers.get("access-control-request-method", scope["method"])
    return bool(s3.cors_response_headers(found[0], method, headers))
