"""The credentials of an execution environment, and where it has them from."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

A_LONG_TIME = timedelta(
    days=365
)  # an SDK would ask again before, where nobody answers any more: at the snapshot's port


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials of AWS, as a function finds them in its environment variables."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    def variables(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


class ContainerCredentials:
    """The same, as a function with SnapStart gets them: from a port, and not in variables, which a snapshot would hold.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html; what is answered is that of
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials, self._token = credentials, secrets.token_urlsafe(32)

    def variables(self, address: str) -> dict[str, str]:
        """What tells an SDK where they are."""
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": address, "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token}

    def are_asked_for_with(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self._token.encode())

    def document(self) -> bytes:
        """They end with their environment, or with the snapshot, and not before."""
        document = {
            "AccessKeyId": self._credentials.access_key_id,
            "SecretAccessKey": self._credentials.secret_access_key,
            "Token": self._credentials.session_token,
            "Expiration": f"{datetime.now(UTC) + A_LONG_TIME:%Y-%m-%dT%H:%M:%SZ}",
        }
        return json.dumps(document).encode()


class Roles(Protocol):
    """Assumes an execution role for an environment, and ends that session with it."""

    def assume(self, role_arn: str, session_name: str) -> Credentials: ...

    def end(self, credentials: Credentials) -> None: ...
