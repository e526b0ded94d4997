"""Page tokens: who has the learner's access key makes them, to look at what happens without signing each request.

A token is "<expires>.<signature>": seconds since 1970, and the HMAC-SHA256 of "activity:<expires>" by the secret key.
"""

import hashlib
import hmac
import time

LONGEST_S = 12 * 3600


class TokenRefused(Exception):
    """A token is none, is another key's, or is not valid any more; the message is one sentence."""


def page_token(secret_access_key: str, valid_s: float = LONGEST_S) -> str:
    """A page token that is valid for so many seconds, 12 hours at most."""
    expires = str(int(time.time() + min(valid_s, LONGEST_S)))
    return f"{expires}.{_signature(secret_access_key, expires)}"


def expiry(token: str, secret_access_key: str) -> float:
    """Until when a token is valid, in seconds since 1970; raises TokenRefused."""
    expires, _, signature = token.partition(".")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise TokenRefused("The page token is missing, or is none.")
    if not hmac.compare_digest(signature.encode(), _signature(secret_access_key, expires).encode()):
        raise TokenRefused("The page token was made with another access key.")
    left = int(expires) - time.time()
    if left <= 0:
        raise TokenRefused("The page token has expired; make a new one.")
    if left > LONGEST_S:
        raise TokenRefused("The page token is valid for longer than 12 hours.")
    return float(expires)


def _signature(secret_access_key: str, expires: str) -> str:
    return hmac.new(secret_access_key.encode(), f"activity:{expires}".encode(), hashlib.sha256).hexdigest()
