"""The embedded AWS itself, one of its own with nothing in it."""

import json

from botocore.credentials import Credentials

from .. import localaws, settings
from .subject import Served

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


class EmbeddedAws(Served):
    name = "embedded AWS"
    services = frozenset({"logs", "s3", "sqs", "sts"})

    def start(self) -> None:
        options = settings.embedded_aws()
        endpoint = localaws.start(self.folder.resolve(), localaws.free_port(), **options)
        self.url, self.pid = endpoint.url, endpoint.pid
        self.credentials = Credentials(endpoint.access_key_id, endpoint.secret_access_key)
        if self.functions:
            self.deploy(self._role())
            account = self.client("lambda").get_account_settings()["AccountLimit"]
            self.most_at_once = account["ConcurrentExecutions"]

    def end(self) -> None:
        localaws.stop(self.folder.resolve())

    def _role(self) -> str:
        iam = self.client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=document)["Role"]
        iam.attach_role_policy(RoleName="bench", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        arn: str = role["Arn"]
        return arn
