"""Role sessions: what a service of AWS has once it has assumed a role, until it gives that up.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp.html
"""

import secrets

from ministack.services import iam, sts

from ...access_key import SESSION, new_access_key
from ...data_plane.credentials import Credentials
from ..contract import Contract

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (iam, "_roles"): None,
    (sts, "_sessions"): None,
    (sts, "register_session"): ("access_key", "session"),
}


def session_arn(role_arn: str, session_name: str) -> str:
    """Who acts in a role: what policies are asked for, and refusals name."""
    return f"arn:aws:sts::{role_arn.split(':')[4]}:assumed-role/{role_arn.rpartition('/')[2]}/{session_name}"


class RoleSessions:
    """Assumes roles for services: each session has credentials of its own, which are valid until `end`."""

    def assume(self, role_arn: str, session_name: str) -> Credentials:
        """Credentials of arn:aws:sts::<account>:assumed-role/<role>/<session name>."""
        key, token = new_access_key(SESSION), secrets.token_urlsafe(256)
        account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
        role = iam._roles.get_scoped(account, None, name) or {}
        session = {
            "Arn": session_arn(role_arn, session_name),
            "UserId": f"{role.get('RoleId', name)}:{session_name}",
            "AccountId": account,
            "SecretAccessKey": key.secret_access_key,
            "SessionToken": token,
        }
        sts.register_session(key.access_key_id, session)
        return Credentials(key.access_key_id, key.secret_access_key, token)

    def end(self, credentials: Credentials) -> None:
        """From now on these credentials are worth nothing."""
        sts._sessions.pop(credentials.access_key_id, None)
