"""Who is asking: a request is signed with a key that we gave out, or it is anonymous, and few may be that.

MiniStack can check signatures (Version 4 in header and query, in chunks, of presigned URLs), but it trusts some keys
without a look, and only asks on some of its ways. Here everybody is asked, once, before MiniStack sees the request.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

import contextvars
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote

from ministack import app as ministack_app
from ministack.core import iam_actions, iam_evaluator, responses, router, sigv4
from ministack.services import iam, s3, sts

from ...asgi import App, Receive, Scope, Send, body_of, query_of, replay
from ..contract import Contract
from ..lambda_ import code_location
from ..shapes import Answer
from . import ways

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (ministack_app, "_credential_failure"): ("service", "iam_action", "request_id", "denied", "headers"),
    (ministack_app, "_routing_params"): ("method", "path", "headers", "body", "query_params"),
    (ministack_app, "_send_response"): ("send", "status", "headers", "body", "head"),
    (ministack_app, "detect_service"): ("method", "path", "headers", "query_params"),
    (ministack_app, "pin_signed_request"): ("method", "raw_path", "query_params", "raw_headers", "handshake"),
    (iam_actions, "anonymous_denial_message"): ("service", "iam_action", "resource_arn"),
    (iam_evaluator, "AuthError"): None,
    (iam_evaluator, "SignedRequest"): None,
    (iam_evaluator, "_anonymous"): None,
    (iam_evaluator, "_signed_request"): None,
    (iam_evaluator, "_verified_key"): None,
    (iam_evaluator, "authenticate"): ("access_key_id", "account_id"),
    (iam_evaluator, "is_root_access_key"): ("access_key_id",),
    (iam_evaluator, "request_caller_arn"): ("headers", "query_params"),
    (iam_evaluator, "pin_signed_body"): ("body",),
    (iam_evaluator, "pin_signed_request"): ("method", "raw_path", "query_params", "raw_headers", "handshake"),
    (iam_evaluator, "resolve_principal"): ("access_key_id", "account_id", "credential"),
    (responses, "get_account_id"): (),
    (router, "extract_access_key_id"): ("headers", "query_params"),
    (iam, "_access_keys"): None,
    (s3, "_bucket_owner_account"): ("name",),
    (sts, "_sessions"): None,
    (s3, "_error"): ("code", "message", "status", "resource", "extra", "headers"),
    (s3, "_verify_presigned_sigv4"): ("method", "path", "headers", "query_params"),
    (sigv4, "SIGNATURE_MISMATCH"): None,
    (sigv4, "decode_header_value"): ("value",),
}

LARGE = 10 * 1024 * 1024
EXPIRED = "Request has expired"
TWO_AUTHORIZATIONS = "A request has one Authorization header."
TWO_ACTIONS = "A request names its action, and each of its parameters, in one place."
QUERY_SERVICES = ("autoscaling", "cloudformation", "ec2", "iam", "rds", "sns", "sts")  # which have no X-Amz-Target
FORM = "application/x-www-form-urlencoded"
API = "/_aws/execute-api/"  # …/<API>/<stage>/<path>: where an API is called, which asks for a signature if it wants one
AWAITED = re.compile(r"/_ministack/(?:cfn-response|cfn-signal)/")  # where what a CloudFormation stack waits for answers


_caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="")  # the ARN of who sent a request


def install() -> None:
    """Let MiniStack trust no key by its looks, and no request twice. Call once, before it serves."""
    arn_of = iam_evaluator.request_caller_arn
    iam_evaluator.request_caller_arn = lambda headers, query_params=None: _caller.get() or arn_of(headers, query_params)
    iam_evaluator.resolve_principal = _of_who_was_checked(iam_evaluator.resolve_principal)
    iam_evaluator.is_root_access_key = lambda access_key_id: not access_key_id  # nobody at all: an anonymous request
    ministack_app.pin_signed_request = lambda *arguments, **options: None  # as_sent has done so


def sender() -> dict[str, str]:
    """Who has sent the present request, as is told: the session of a role, which has its function's name, or nobody."""
    return {"by": _caller.get()} if ":assumed-role/" in _caller.get() else {}


def _of_who_was_checked(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's search for a principal, by no other key than the one that the request was signed with.

    MiniStack looks for the key in more than one place. A form of S3 has one in its body, and S3 checks that itself.
    """

    def resolved(access_key_id: str, *rest: Any) -> Any:
        if access_key_id == iam_evaluator._verified_key.get() or iam_evaluator._anonymous.get():
            return resolve(access_key_id, *rest)
        return iam_evaluator.AuthError("SignatureDoesNotMatch", sigv4.SIGNATURE_MISMATCH)

    return resolved


def as_sent(app: App) -> App:
    """`app`, which can check the signature of a request as its sender saw it, whatever is changed before it gets it."""

    async def pinned(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            iam_evaluator.pin_signed_request(scope["method"], _raw_path(scope), query_of(scope), scope["headers"])
        await app(scope, receive, send)

    return pinned


def authenticated(app: App, but: Callable[[str], bool]) -> App:
    """`app`, for requests that are signed with a key of ours, and for those that need not be, as to paths `but`."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})  # policy violation, RFC 6455
        if scope["type"] != "http" or but(scope["path"]) or _has_own_secret(scope):
            return await app(scope, receive, send)
        if scope["path"].startswith(API):
            return await api(scope, receive, send)
        body = b"" if _is_large(scope) and _is_strangers(scope) else await body_of(receive)
        iam_evaluator.pin_signed_body(body)
        if refusal := _refusal(scope, body):
            await ministack_app._send_response(send, *refusal, head=scope["method"] == "HEAD")
        else:
            asked = public if iam_evaluator._anonymous.get() else app
            await asked(_without_foreign_authorization(scope), replay(body, receive), send)

    public, api = ways.limited(app, ways.Way.SERVICE), ways.limited(app, ways.Way.ADDRESS)
    return as_sent(guarded)


def _refusal(scope: Scope, body: bytes) -> Answer | None:
    """MiniStack's answer, in the words of the service that is asked, to a request whose sender we do not know."""
    method, path, query, headers = scope["method"], scope["path"], query_of(scope), _headers(scope)
    service = ministack_app.detect_service(
        method, path, headers, ministack_app._routing_params(method, path, headers, body, query)
    )
    if method == "OPTIONS" and service == "s3" and _may_be_public(method, path):
        return None  # a browser asks whether a page may ask, and signs nothing
    failure = _ambiguity(scope, service, headers, query, body)
    signed, key = iam_evaluator._signed_request.get(), router.extract_access_key_id(headers, query)
    if failure is None and signed is not None and signed.s3_scoped and service == "s3":
        refused: Answer | None = s3._verify_presigned_sigv4(method, path, headers, query)
        iam_evaluator._verified_key.set("" if refused else key)
        return refused
    if failure is None and signed is None and not key and service == "s3" and _may_be_public(method, path):
        iam_evaluator._anonymous.set(True)  # also where an Authorization header says something else
        return None
    failure = failure or _unauthenticated(service, signed, key)
    if failure is None:
        return None
    if failure.message == EXPIRED:  # of a URL that was presigned with Version 2
        expired: Answer = s3._error("AccessDenied", EXPIRED, 403, path)
        return expired
    answer: Answer = ministack_app._credential_failure(service, "", str(uuid.uuid4()), failure, headers)
    return answer


def _ambiguity(
    scope: Scope, service: str, headers: dict[str, Any], query: dict[str, list[str]], body: bytes
) -> iam_evaluator.AuthError | None:
    """What keeps a request from saying one thing, and who says it."""
    if sum(name.lower() == b"authorization" for name, _ in scope["headers"]) > 1:  # which of them says who asks?
        return iam_evaluator.AuthError("IncompleteSignature", TWO_AUTHORIZATIONS)
    if service != "s3" and _says_two_things(service, scope["path"], headers, query, body):
        return iam_evaluator.AuthError("IncompleteSignature", TWO_ACTIONS)
    return None


def _unauthenticated(
    service: str, signed: iam_evaluator.SignedRequest | None, key: str
) -> iam_evaluator.AuthError | None:
    """Why we do not know the sender of a request, or None, and then who it is is noted."""
    if signed is None and not key:
        message = iam_actions.anonymous_denial_message(service, "", "*")
        return iam_evaluator.AuthError("MissingAuthenticationToken", message)
    if signed is None or signed.s3_scoped:
        return iam_evaluator.AuthError("SignatureDoesNotMatch", sigv4.SIGNATURE_MISMATCH)
    found = iam_evaluator.authenticate(signed.access_key_id, responses.get_account_id())
    if isinstance(found, iam_evaluator.AuthError):
        return found
    if found is None:  # it was checked before: by whom?
        raise RuntimeError("A request was authenticated twice.")
    _caller.set(found.principal_arn)
    return None


def _says_two_things(
    service: str, path: str, headers: dict[str, Any], query: dict[str, list[str]], body: bytes
) -> bool:
    """Whether MiniStack could judge another action, or resource, than it then does: of query, body, target and path."""
    by_target, by_path = bool(headers.get("x-amz-target")), path.startswith("/service/")
    read = headers.get("content-type", "").startswith(FORM)
    is_form = read or not body.lstrip().startswith((b"{", b"["))
    form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True) if is_form and b"Action=" in body else {}
    named = sum(("Action" in query, "Action" in form, by_target, by_path))
    if named > 1 or ("Action" in query and body) or (by_target and service in QUERY_SERVICES):
        return True
    return "Action" in form and not (read and query.keys().isdisjoint(form))


def _has_own_secret(scope: Scope) -> bool:
    """Whether an address was given out that nobody can guess."""
    if scope["method"] == "PUT":
        return bool(AWAITED.match(scope["path"]))
    return scope["method"] == "GET" and code_location.is_valid(scope["path"], query_of(scope))


def _is_large(scope: Scope) -> bool:
    """Whether the body of a request is larger than what any of AWS's services but S3 takes, or may be."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    return int(headers.get(b"content-length", 0)) > LARGE or b"transfer-encoding" in headers


def _is_strangers(scope: Scope) -> bool:
    """Whether a request names no key that there is, nor a bucket that could be public: its body is not even read."""
    key = router.extract_access_key_id(_headers(scope), query_of(scope))
    if key:
        return key not in iam._access_keys and key not in sts._sessions
    bucket = scope["path"].removeprefix("/").partition("/")[0]
    return s3._bucket_owner_account(bucket) is None


def _may_be_public(method: str, path: str) -> bool:
    """Whether S3 can have been told that everybody may do this; it asks the policies of the bucket.

    Nobody may make a bucket without a key; what begins with "_" is none, and a page of MiniStack's own.
    """
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket[:1].isalnum() and (bool(key) or method != "PUT")


def _raw_path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _headers(scope: Scope) -> dict[str, Any]:
    """As MiniStack will see them: what is on several lines is one list."""
    headers: dict[str, Any] = {}
    for name, value in _without_foreign_authorization(scope)["headers"]:
        key, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
        between = "; " if key == "cookie" else ", "
        headers[key] = f"{headers[key]}{between}{text}" if key in headers else text
    return headers


def _without_foreign_authorization(scope: Scope) -> Scope:
    """An Authorization header that is not AWS's says nothing here, and is not to be taken for a key."""
    headers = [(name, value) for name, value in scope["headers"] if not _is_foreign(name, value)]
    return {**scope, "headers": headers}


def _is_foreign(name: bytes, value: bytes) -> bool:
    return name.lower() == b"authorization" and not value.startswith((b"AWS4-", b"AWS "))
