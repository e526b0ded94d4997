"""The learner of an embedded AWS as a user with the policies that `python3 -m helpers policy` prints, and no others."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from localaws_client import clients_for

from helpers import localaws, policies

LEARNER = "learner"  # the name of the user, and the prefix
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BOUNDARY_ARN = f"arn:aws:iam::000000000000:policy/{policies.BOUNDARY}"


class JudgedLearner:
    """Takes the learner of an embedded AWS all that they may do, and gives it to an administrator."""

    def __init__(self, home: Path) -> None:
        self._home, endpoint = home, localaws.running(home)
        iam = clients_for(endpoint)("iam")
        iam.create_user(UserName="administrator")
        iam.attach_user_policy(UserName="administrator", PolicyArn=ADMINISTRATOR)
        key = iam.create_access_key(UserName="administrator")["AccessKey"]
        # clients of somebody who may do everything
        self.administrator: Callable[[str], Any] = clients_for(
            replace(endpoint, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"])
        )
        self.administrator("iam").detach_user_policy(UserName=LEARNER, PolicyArn=ADMINISTRATOR)

    def may(self, documents: dict[str, policies.Document]) -> None:
        """From now on the learner may do what these policies allow, and nothing else."""
        iam = self.administrator("iam")
        for each in iam.list_attached_user_policies(UserName=LEARNER)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=LEARNER, PolicyArn=each["PolicyArn"])
        for each in iam.list_policies(Scope="Local")["Policies"]:
            iam.delete_policy(PolicyArn=each["Arn"])
        for name, document in documents.items():
            arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
            if name != policies.BOUNDARY:
                iam.attach_user_policy(UserName=LEARNER, PolicyArn=arn)
        self.activity()

    def activity(self) -> list[dict[str, Any]]:
        """Who has done what since it was last asked, the administrator aside."""
        noted = localaws.access_activity(self._home)
        return [access for access in noted if not access.get("principal", "").endswith(":user/administrator")]
