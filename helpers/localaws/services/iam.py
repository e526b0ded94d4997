"""The learner as a user of IAM, who may do everything; their access key is the only one that is there at the start.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users.html
"""

from ministack.services import iam

from ..access_key import AccessKey
from .contract import Contract

# What it relies on in MiniStack; contract.py checks it.
CONTRACT: Contract = {
    (iam, "_access_keys"): None,
    (iam, "_attach_user_policy"): ("p",),
    (iam, "_create_user"): ("p",),
    (iam, "_now"): (),
}

USER = "learner"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def install(key: AccessKey) -> None:
    """Make the user, with this key. Call once, before MiniStack serves."""
    iam._create_user({"UserName": [USER]})
    iam._attach_user_policy({"UserName": [USER], "PolicyArn": [ADMINISTRATOR]})
    iam._access_keys[key.access_key_id] = {
        "UserName": USER,
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "Status": "Active",
        "CreateDate": iam._now(),
    }
