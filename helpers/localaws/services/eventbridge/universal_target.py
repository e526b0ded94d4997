"""Universal targets of EventBridge Scheduler: any call of AWS's API, without a function in between.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html. The call is made once, and goes
to the embedded AWS alone.
"""

import json
import re
from dataclasses import dataclass

from ...data_plane.credentials import Credentials

ARN = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9-]+):([a-zA-Z0-9]+)")


@dataclass(frozen=True)
class Call:
    """A call of AWS's API: the service as the SDK names it ("ec2"), and the action ("stopInstances")."""

    service: str
    action: str

    def make(self, text: str, endpoint: str, region: str, credentials: Credentials) -> None:
        """Make the call at `endpoint` (http://…) with the parameters in `text`, JSON. Raises what boto3 raises."""
        import boto3  # only where it is needed, as importing it takes half as long as the server's whole start
        from botocore import xform_name
        from botocore.config import Config

        client = boto3.client(
            self.service,
            region,
            endpoint_url=endpoint,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
        getattr(client, xform_name(self.action))(**json.loads(text))


def named_by(arn: str) -> Call | None:
    """The call that the ARN of a target names, if it names one."""
    found = ARN.fullmatch(arn)
    return Call(*found.groups()) if found else None
