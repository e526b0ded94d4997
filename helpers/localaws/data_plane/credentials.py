"""The credentials of an execution environment, and where it has them from."""

from dataclasses import dataclass, field
from typing import Protocol


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


class Roles(Protocol):
    """Assumes an execution role for an environment, and ends that session with it."""

    def assume(self, role_arn: str, session_name: str) -> Credentials: ...

    def end(self, credentials: Credentials) -> None: ...
